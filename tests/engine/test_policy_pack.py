"""The policy pack in a real preview: what is as it should be passes, and what is planted is stopped and named."""

import shutil

import pytest

from tests.engine.project import ROOT, RehearsalFailed

OPEN_DATABASE = """
import pulumi
import pulumi_aws as aws

aws.vpc.SecurityGroupIngressRule(
    "planted",
    security_group_id="sg-0123456789abcdef0",
    ip_protocol="tcp",
    from_port=5432,
    to_port=5432,
    cidr_ipv4="0.0.0.0/0",
    opts=pulumi.ResourceOptions(provider=aws.Provider("planted", region="eu-central-1")),
)
"""


@pytest.fixture
def judged(project):
    """A project with the policy pack in it."""
    shutil.copytree(ROOT / "policy", project.root / "policy", ignore=shutil.ignore_patterns("__pycache__"))
    return project


def test_the_program_passes_and_a_planted_hole_stops_the_preview(judged):
    assert judged.rehearse("dev", "--policy-pack")["commit"]["id"]

    main = judged.root / "__main__.py"
    main.write_text(main.read_text() + OPEN_DATABASE)
    with pytest.raises(RehearsalFailed) as failed:
        judged.rehearse("dev", "--policy-pack")

    assert failed.value.code == 1
    assert "planted: violates security-group-rule-closed of slipway: nothing here is called" in str(failed.value)
    assert "planted: violates data-ports-from-groups of slipway" in str(failed.value)
    assert "name a security group or a narrow network as the source" in str(failed.value)

    # Advice is told by the engine and stops nothing: the planted provider's missing tags are no failure.
    assert "violates tagged" not in str(failed.value)
    assert '"policyName":"tagged"' in (judged.root / ".slipway/rehearse/dev/preview.events").read_text()


def test_a_waiver_lets_the_preview_pass(judged):
    main = judged.root / "__main__.py"
    main.write_text(main.read_text() + OPEN_DATABASE)
    folder = judged.root / "stacks" / "dev"
    folder.mkdir(exist_ok=True)
    (folder / "waivers.yaml").write_text(
        "- {rule: security-group-rule-closed, resource: planted, reason: the auditors' test, until: 2999-01-31}\n"
        "- {rule: data-ports-from-groups, resource: planted, reason: the auditors' test, until: 2999-01-31}\n"
    )

    assert judged.rehearse("dev", "--policy-pack")["commit"]["id"]
