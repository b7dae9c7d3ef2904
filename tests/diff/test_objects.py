"""Comparing Kubernetes objects: what rolls, what would be refused, what is only noise."""

import copy

import pytest

from slipway.diff.objects import Item, ObjectChange, compare


def item(kind: str, name: str = "one", component: str = "core", **parts) -> Item:
    metadata = {"name": name, "namespace": "harbor", **parts.pop("metadata", {})}
    return Item(component=component, object={"apiVersion": "v1", "kind": kind, "metadata": metadata, **parts})


def workload(kind: str = "Deployment", *, image: str = "a", checksum: str = "1", replicas: int = 2, **spec) -> Item:
    template = {
        "metadata": {"annotations": {"checksum/secret": checksum}, "labels": {"app": "core"}},
        "spec": {"containers": [{"name": "core", "image": image}]},
    }
    return item(kind, spec={"replicas": replicas, "template": template, **spec})


def only(before: Item | None, after: Item | None) -> ObjectChange:
    (change,) = compare([before] if before else [], [after] if after else [])
    return change


def test_the_same_is_no_change():
    assert compare([workload(), item("Service")], [item("Service"), workload()]) == []


def test_added_and_removed_are_shown_whole():
    added, removed = only(None, item("Service", spec={"type": "NodePort"})), only(item("Service"), None)

    assert (added.what, removed.what) == ("added", "removed")
    assert "+  type: NodePort" in added.lines
    assert all(line[0] in "-@" for line in removed.lines)


def test_a_changed_template_rolls_and_a_changed_count_does_not():
    rolled, scaled = only(workload(), workload(image="b")), only(workload(), workload(replicas=3))

    assert (rolled.rolls, scaled.rolls) == (True, False)
    assert "-      - image: a" in rolled.lines
    assert "+      - image: b" in rolled.lines
    assert [line for line in scaled.lines if line[0] in "+-"] == ["-  replicas: 2", "+  replicas: 3"]


def test_a_checksum_alone_rolls_without_lines():
    change = only(workload(), workload(checksum="2"))

    assert change.rolls
    assert change.lines == ()
    assert change.noise == ("checksum/secret",)


def test_labels_of_the_charts_version_are_noise():
    before = item("Service", metadata={"labels": {"helm.sh/chart": "harbor-1", "app": "x"}})
    after = item("Service", metadata={"labels": {"helm.sh/chart": "harbor-2", "app": "y"}})
    change = only(before, after)

    assert change.noise == ("helm.sh/chart",)
    assert [line for line in change.lines if line[0] in "+-"] == ["-    app: x", "+    app: y"]


def test_the_same_name_in_another_namespace_is_another_object():
    found = compare([item("Service")], [item("Service", metadata={"namespace": "other"})])

    assert [(one.what, one.namespace) for one in found] == [("removed", "harbor"), ("added", "other")]


def test_what_a_secret_holds_is_never_shown():
    change = only(item("Secret", data={"a": "c2VjcmV0"}), item("Secret", data={"a": "b3RoZXI=", "b": "bmV3"}))
    text = "\n".join(change.lines)

    assert "c2VjcmV0" not in text
    assert "b3RoZXI=" not in text
    assert text.count("(hidden, ") == 3


def test_a_configurations_lines_are_compared_one_by_one():
    text = "".join(f"line{number}: x\n" for number in range(20))
    change = only(
        item("ConfigMap", data={"config.yml": text}),
        item("ConfigMap", data={"config.yml": text.replace("line9: x", "line9: y")}),
    )

    assert [line.strip() for line in change.lines if line[0] in "+-"] == ["-    line9: x", "+    line9: y"]


def test_shown_by_component_in_a_fixed_order():
    changes = compare([], [item("A", component=name) for name in ("zebra", "flux", "core", "trivy")][:1])
    assert [one.component for one in changes] == ["zebra"]
    many = [item("A", name, name) for name in ("zebra", "flux", "core", "trivy")]

    assert [one.component for one in compare([], many)] == ["core", "trivy", "flux", "zebra"]


CLAIM = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}}]
GROWN = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "9Gi"}}}}]


def with_spec(kind: str, **spec) -> Item:
    return item(kind, spec=spec)


def claim(size: str, **spec) -> Item:
    return with_spec("PersistentVolumeClaim", resources={"requests": {"storage": size}}, **spec)


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (with_spec("StatefulSet", volumeClaimTemplates=CLAIM), with_spec("StatefulSet", volumeClaimTemplates=GROWN),
         ("spec.volumeClaimTemplates",)),
        (with_spec("StatefulSet", serviceName="a"), with_spec("StatefulSet", serviceName="b"), ("spec.serviceName",)),
        (with_spec("StatefulSet", selector={"a": 1}), with_spec("StatefulSet", selector={"a": 2}), ("spec.selector",)),
        (with_spec("StatefulSet", replicas=1, template=1), with_spec("StatefulSet", replicas=2, template=2), ()),
        (with_spec("Deployment", selector={"a": 1}), with_spec("Deployment", selector={"b": 1}), ("spec.selector",)),
        (with_spec("Deployment", strategy={"type": "Recreate"}), with_spec("Deployment"), ()),
        (with_spec("Job", template={"a": 1}), with_spec("Job", template={"a": 2}), ("spec.template",)),
        (claim("5Gi"), claim("10Gi"), ()),
        (claim("1Ti"), claim("900Gi"), ("spec.resources.requests.storage (smaller)",)),
        (claim("5Gi", accessModes=["ReadWriteOnce"]), claim("5Gi", accessModes=["ReadWriteMany"]), ("spec.accessModes",)),
        (claim("5Gi", storageClassName="a"), claim("5Gi", storageClassName="b"), ("spec.storageClassName",)),
        (with_spec("Service", clusterIP="10.0.0.1"), with_spec("Service", clusterIP="10.0.0.2"), ("spec.clusterIP",)),
        (with_spec("Service", clusterIP="10.0.0.1"), with_spec("Service"), ()),
        (item("StorageClass", parameters={"type": "gp2"}), item("StorageClass", parameters={"type": "gp3"}), ("parameters",)),
        (item("ConfigMap", immutable=True, data={"a": "1"}), item("ConfigMap", immutable=True, data={"a": "2"}), ("data",)),
        (item("ConfigMap", data={"a": "1"}), item("ConfigMap", data={"a": "2"}), ()),
        (item("Secret", type="Opaque"), item("Secret", type="kubernetes.io/tls"), ("type",)),
        (item("RoleBinding", roleRef={"name": "a"}), item("RoleBinding", roleRef={"name": "b"}), ("roleRef",)),
    ],
)  # fmt: skip
def test_what_the_cluster_would_refuse(before, after, fields):
    change = only(before, after)

    assert change.immutable == fields
    assert change.fails == bool(fields)


def test_a_hooks_job_is_made_anew_each_time():
    hook = {"metadata": {"annotations": {"helm.sh/hook": "pre-upgrade"}}}

    assert not only(
        item("Job", spec={"template": 1}, **hook), item("Job", spec={"template": 2}, **copy.deepcopy(hook))
    ).fails


def test_a_release_under_another_name_is_uninstalled_first():
    change = only(with_spec("HelmRelease", releaseName="harbor"), with_spec("HelmRelease", releaseName="other"))

    assert change.reinstalls == ("spec.releaseName",)
