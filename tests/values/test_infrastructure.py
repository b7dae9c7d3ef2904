"""Controllers beside Harbor: pinned, wired to layer 1's roles, left out where the cluster has them, known to their charts."""

import json

import pytest
import yaml

from infra.aws.identity import CONTROLLERS
from tests.values.conftest import CHARTS, exposed, facts_of
from values.composition import Composition
from values.helm import objects, rendered
from values.infrastructure import NAMESPACES, controllers, images, infrastructure_files, table
from values.options import UPSTREAM_REGISTRIES, InfrastructureOptions
from values.order import PARTS, cluster_file
from values.releases import releases
from values.render import render


def files_of(profile: str = "ha", **settings) -> dict[str, str]:
    facts = facts_of(profile, **settings)
    return infrastructure_files(facts, Composition.of(facts))


def names_of(profile: str = "ha", **settings) -> list[str]:
    facts = facts_of(profile, **settings)
    return [one.name for one in controllers(facts, Composition.of(facts))]


def release_of(name: str, profile: str = "ha", **settings):
    return next(one for one in releases(render(facts_of(profile, **settings))) if one.name == name)


def test_namespaces_and_accounts_are_those_of_the_pod_identity_associations():
    assert {name: (where, name) for name, where in NAMESPACES.items()} == {
        name: (one.namespace, one.service_account) for name, one in CONTROLLERS.items()
    }
    for name, namespace in NAMESPACES.items():
        release = release_of(name)
        assert release.namespace == namespace
        assert release.values["serviceAccount"] == {"create": True, "name": name}


def test_every_controller_is_pinned_and_its_images_are_known():
    assert set(table()) == set(NAMESPACES)
    for name, row in table().items():
        assert release_of(name).version == row["version"]
        assert release_of(name).repository == row["repository"]
        assert [image.rpartition(":")[2].lstrip("v") for image in row["images"]] == [row["app"].lstrip("v")]
    assert sorted({image.partition("/")[0] for row in table().values() for image in row["images"]}) == [
        *UPSTREAM_REGISTRIES
    ]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, ["aws-load-balancer-controller", "external-dns", "external-secrets"]),
        (exposed("nginx"), ["external-dns", "external-secrets"]),
        (exposed("route"), ["external-dns", "external-secrets"]),
        ({"harbor": {"infrastructure": {"externalDns": False}}}, ["aws-load-balancer-controller", "external-secrets"]),
        ({"harbor": {"infrastructure": {"loadBalancerController": False}}}, ["external-dns", "external-secrets"]),
        ({"harbor": {"expose": {"type": "nginx"}, "infrastructure": {"loadBalancerController": True}}}, [*NAMESPACES]),
        ({"harbor": {"infrastructure": {"externalSecrets": False}}}, ["aws-load-balancer-controller", "external-dns"]),
    ],
)  # fmt: skip
def test_only_what_the_exposure_needs_and_nobody_else_brings(settings, names):
    assert names_of(**settings) == names
    listed = yaml.safe_load(files_of(**settings)["infrastructure/kustomization.yaml"])["resources"]
    assert listed == ["storage.yaml", *(f"{name}.yaml" for name in names)]


def test_a_cluster_without_aws_has_no_infrastructure():
    assert files_of("kind") == {}
    assert "infrastructure" not in "".join(render(facts_of("kind")))
    assert "harbor-infrastructure" not in render(facts_of("kind"))["clusters/kind/harbor.yaml"]


def test_one_pod_in_dev_two_over_zones_where_a_restart_must_not_show():
    for profile, replicas in (("dev", 1), ("ha", 2), ("large", 2)):
        balancer = release_of("aws-load-balancer-controller", profile).values
        secrets = release_of("external-secrets", profile).values
        assert balancer["replicaCount"] == secrets["replicaCount"] == secrets["webhook"]["replicaCount"] == replicas
        assert secrets["leaderElect"] == (replicas > 1)
        spread = [part.get("topologySpreadConstraints") for part in (balancer, secrets, secrets["webhook"])]
        budgets = [part.get("podDisruptionBudget") for part in (balancer, secrets, secrets["webhook"])]
        assert all(spread) == all(budgets) == (replicas > 1)
        assert "replicaCount" not in release_of("external-dns", profile).values  # it has no leader election


def test_external_dns_touches_one_name_in_one_zone():
    facts = facts_of("ha")
    values = release_of("external-dns").values

    assert facts.aws
    assert values["domainFilters"] == [facts.host]
    # The zone may be the parent of the name; without the second, its records would not even be looked at.
    assert values["extraArgs"] == {"zone-id-filter": [facts.aws.hosted_zone_id], "aws-zone-match-parent": True}
    assert values["txtPrefix"].endswith(".")  # the name may be the zone's apex
    assert release_of("external-dns", **exposed("route")).values["sources"] == ["ingress", "gateway-httproute"]


def test_an_owner_outlives_the_cluster():
    again = facts_of("ha").aws.model_copy(update={"cluster_name": "harbor-ha-2"})
    facts = facts_of("ha").model_copy(update={"aws": again})

    (release,) = (one for one in releases(render(facts)) if one.name == "external-dns")

    assert release.values["txtOwnerId"] == "slipway-ha"


def test_mirrors_of_charts_and_images():
    options = {
        "chartRepository": "https://charts.example.com/mirror",
        "registries": {"ghcr.io": "registry.example.com/github"},
    }
    facts = facts_of("ha", harbor={"infrastructure": options})
    files = infrastructure_files(facts, Composition.of(facts))

    assert {one.repository for one in releases(render(facts)) if one.name in NAMESPACES} == {options["chartRepository"]}
    assert (
        "registry.example.com/github/external-secrets/external-secrets" in files["infrastructure/external-secrets.yaml"]
    )
    assert "image:" not in files["infrastructure/external-dns.yaml"]
    assert list(images(facts, Composition.of(facts))) == [
        "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0",
        "registry.k8s.io/external-dns/external-dns:v0.21.0",
        "registry.example.com/github/external-secrets/external-secrets:v2.9.0",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chartRepository": "oci://registry.example.com"}, "is not an http URL without credentials"),
        ({"chartRepository": "https://me:secret@charts.example.com"}, "is not an http URL without credentials"),
        (
            {"registries": {"ghcr.io": "https://registry.example.com"}},
            "ghcr.io: https://registry.example.com is no registry",
        ),
        ({"registries": {"docker.io": "registry.example.com"}}, "no controller's image comes from docker.io"),
    ],
)
def test_a_mirror_that_is_none_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        InfrastructureOptions.model_validate(options)


def test_monitors_only_where_their_kind_is():
    on = {"harbor": {"monitoring": {"serviceMonitors": True, "labels": {"release": "prometheus"}}}}
    for name in NAMESPACES:
        assert "serviceMonitor" not in release_of(name).values
        assert release_of(name, **on).values["serviceMonitor"] == {
            "enabled": True, "additionalLabels": {"release": "prometheus"},
        }  # fmt: skip


@pytest.mark.parametrize("profile", ["dev", "ha"])
@pytest.mark.parametrize("name", NAMESPACES)
def test_the_official_chart_takes_the_values(name, profile):
    """Renders with the chart's own schema, where it has one; what was meant arrives in the pods."""
    archive = CHARTS / f"{name}-{table()[name]['version']}.tgz"
    if not archive.exists():
        pytest.skip(f"no {archive}: helm pull {name} --repo {table()[name]['repository']} -d {CHARTS}")
    registries = {registry: f"mirror.example.com/{registry}" for registry in UPSTREAM_REGISTRIES}
    release = release_of(name, profile, harbor={"infrastructure": {"registries": registries}})

    made = [
        item
        for text in rendered(archive, release.values, release=name, namespace=release.namespace).values()
        for item in objects(text)
    ]
    deployments = {one["metadata"]["name"]: one["spec"] for one in made if one["kind"] == "Deployment"}
    accounts = {one["metadata"]["name"] for one in made if one["kind"] == "ServiceAccount"}
    pod = deployments[name]["template"]["spec"]
    container = pod["containers"][0]

    assert name in accounts
    assert pod["serviceAccountName"] == name
    assert container["resources"]["limits"]["memory"]
    pulled = {one["image"] for spec in deployments.values() for one in spec["template"]["spec"]["containers"]}
    assert pulled == {f"mirror.example.com/{image}" for image in table()[name]["images"]}
    assert deployments[name]["replicas"] == (2 if profile == "ha" and name != "external-dns" else 1)
    assert any(one["kind"] == "PodDisruptionBudget" for one in made) == (deployments[name]["replicas"] == 2)
    arguments = " ".join(container["args"])
    for wanted in {
        "aws-load-balancer-controller": [
            "--aws-vpc-id=vpc-0123456789abcdef0",
            "--aws-region=eu-central-1",
            "ALBGatewayAPI=false",
        ],
        "external-dns": [
            "--policy=sync",
            "--txt-owner-id=slipway-",
            "--zone-id-filter=Z0123456789ABCDEFGHIJ",
            "--aws-zone-match-parent",
            "--events",
        ],
        "external-secrets": ["--enable-push-secret-reconciler=false"],
    }[name]:
        assert wanted in arguments
    webhooks = [
        hook["name"] for one in made if one["kind"] == "MutatingWebhookConfiguration" for hook in one["webhooks"]
    ]
    assert "mservice.elbv2.k8s.aws" not in webhooks  # while its pods are away no Service could be made
    for kind in (one for one in made if one["kind"] == "CustomResourceDefinition"):
        assert kind["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_folders_come_one_after_the_other():
    facts = facts_of("ha")
    home = "apps/harbor/ha"
    files = {f"{home}/{part.folder}/kustomization.yaml": "" for part in PARTS}
    cluster = list(yaml.safe_load_all(cluster_file(facts, files)))

    assert [item["metadata"]["name"] for item in cluster] == [
        "harbor-infrastructure", "harbor-prerequisites", "harbor-support", "harbor",
    ]  # fmt: skip
    waits = [item["spec"].get("dependsOn") for item in cluster]
    assert waits == [None, *([{"name": part.name}] for part in PARTS[:-1])]
    assert {item["spec"]["deletionPolicy"] for item in cluster} == {"Orphan"}
    assert all(item["spec"]["wait"] and item["spec"]["prune"] for item in cluster)


def test_what_kubernetes_cannot_judge_by_itself_is_checked():
    checks = {
        item["metadata"]["name"]: [check["kind"] for check in item["spec"].get("healthCheckExprs", [])]
        for item in yaml.safe_load_all(
            render(facts_of("ha", harbor={"notify": {"provider": "slack"}}))["clusters/ha/harbor.yaml"]
        )
    }

    assert checks["harbor-infrastructure"] == checks["harbor"] == ["HelmRelease"]
    assert checks["harbor-prerequisites"] == ["ExternalSecret", "SecretStore", "ClusterSecretStore"]


@pytest.mark.parametrize(("flux", "version"), [("2.8", "v1beta3"), ("2.9", "v1beta3"), ("2.10", "v1"), ("2.11", "v1")])
def test_alerts_are_written_for_the_flux_that_reads_them(flux, version):
    facts = facts_of("ha", harbor={"notify": {"provider": "slack", "channel": "registry"}})
    facts = facts.model_copy(update={"flux_version": flux})
    provider, alert = yaml.safe_load_all(render(facts)["apps/harbor/ha/prerequisites/notify.yaml"])

    assert {provider["apiVersion"], alert["apiVersion"]} == {f"notification.toolkit.fluxcd.io/{version}"}
    assert provider["spec"] == {"type": "slack", "channel": "registry", "secretRef": {"name": "harbor-flux-notify"}}
    watched = {(one["kind"], one.get("namespace", "flux-system")) for one in alert["spec"]["eventSources"]}
    assert watched == {
        ("GitRepository", "flux-system"), ("Kustomization", "flux-system"), ("HelmRelease", "harbor"),
        ("HelmRelease", "kube-system"), ("HelmRelease", "external-dns"), ("HelmRelease", "external-secrets"),
    }  # fmt: skip
    assert alert["spec"]["eventSeverity"] == "error"


def test_without_notify_there_is_no_trace_of_it():
    # Our chart is the same for everybody; what an environment chose is in its values.
    files = {path: text for path, text in render(facts_of("ha")).items() if "/support/" not in path}

    assert "notif" not in json.dumps(files)
