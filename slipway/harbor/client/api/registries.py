"""Registries elsewhere. Harbor asks the address whenever one is made or changed.

await harbor.send(registries.create(Registry(name="hub", type="docker-hub", url="https://hub.docker.com")))
"""

from slipway.harbor.client.models import Registry, RegistryPing, RegistryUpdate
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one, page_of

_PAGE, _REGISTRY, _NAMES = page_of(Registry), one(Registry), one(list[str])


def every() -> Pages[Registry]:
    return Pages(
        first=Request(what="list registries", method="GET", path="/registries", query={"sort": "id"}, read=_PAGE)
    )


def get(number: int) -> Request[Registry]:
    return Request(what=f"read registry {number}", method="GET", path=f"/registries/{number}", read=_REGISTRY)


def create(registry: Registry) -> Request[Created]:
    what = f"create registry {registry.name}"
    return Request(what=what, method="POST", path="/registries", body=registry, read=created)


def update(number: int, change: RegistryUpdate) -> Request[None]:
    what = f"change registry {number}"
    return Request(what=what, method="PUT", path=f"/registries/{number}", body=change, read=nothing)


def delete(number: int) -> Request[None]:
    return Request(what=f"delete registry {number}", method="DELETE", path=f"/registries/{number}", read=nothing)


def ping(registry: RegistryPing) -> Request[None]:
    """Have Harbor ask the address; asking twice does no harm."""
    what = f"ping registry {registry.url or registry.id}"
    return Request(what=what, method="POST", path="/registries/ping", body=registry, read=nothing, repeatable=True)


def types() -> Request[list[str]]:
    return Request(what="list registry types", method="GET", path="/replication/adapters", read=_NAMES)
