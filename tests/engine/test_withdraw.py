"""Harbor leaves the cluster before the cluster goes: what is deleted, and what is waited for."""

from types import SimpleNamespace

import pytest
from lightkube import ApiError

from infra.errors import TeardownError
from slipway.teardown.withdraw import withdraw


class Cluster:
    """What a cluster holds, as (kind, name); what is stuck is never gone."""

    def __init__(self, *held, stuck=()):
        self.held, self.stuck, self.paused = set(held), set(stuck), []
        self.config = SimpleNamespace(cluster=SimpleNamespace(server="https://cluster"))

    def patch(self, _resource, name, _patch, **_):
        self.paused.append(name)

    def delete(self, resource, name, **_):
        self.get(resource, name)
        self.held -= {(_kind(resource), name)} - self.stuck

    def get(self, resource, name, **_):
        if (_kind(resource), name) not in self.held:
            raise ApiError(response=_NotFound())
        return SimpleNamespace(to_dict=lambda: {"metadata": {"name": name}})

    def list(self, resource, **_):
        return [
            SimpleNamespace(kind=kind, metadata=SimpleNamespace(name=name))
            for kind, name in sorted(self.held)
            if kind == _kind(resource)
        ]


class _NotFound:
    status_code = 404

    def json(self):
        return {"kind": "Status", "code": 404, "message": "not found"}


def _kind(resource):
    return resource._api_info.resource.kind


SUPPORT = ("HelmRelease", "harbor-support")
RELEASE = ("HelmRelease", "harbor")
INGRESS = ("Ingress", "harbor-ingress")


def test_the_release_goes_and_the_support_charts_stays():
    cluster = Cluster(RELEASE, SUPPORT, INGRESS)

    withdraw(cluster, tell=print, patience_seconds=0)

    assert cluster.held == {SUPPORT}
    assert cluster.paused == ["flux", "flux-system", "harbor"]


def test_manifests_have_no_release_and_their_ingress_goes():
    cluster = Cluster(SUPPORT, INGRESS)

    withdraw(cluster, tell=print, patience_seconds=0)

    assert cluster.held == {SUPPORT}


@pytest.mark.parametrize(("stuck", "named"), [(RELEASE, "HelmRelease harbor"), (INGRESS, "Ingress harbor-ingress")])
def test_what_does_not_go_is_named(stuck, named):
    cluster = Cluster(RELEASE, SUPPORT, INGRESS, stuck={stuck})

    with pytest.raises(TeardownError, match=f"^{named}: still there"):
        withdraw(cluster, tell=print, patience_seconds=0)
