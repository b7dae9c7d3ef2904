"""What each part of harbor.yaml may say and all of it together may not. Harbor would drop it without a word.

for place, what in contradictions(spec): …
"""

from collections.abc import Iterator, Mapping, Sequence

from infra.yaml_file import Location
from slipway.harbor.spec.preheat import PreheatInstanceSpec
from slipway.harbor.spec.projects import ProjectSpec
from slipway.harbor.spec.root import HarborSpec

_GROUPS_OF = {"ldap_auth": {"ldap"}, "http_auth": {"http"}}
#: What only a cache of another registry has, and what it is of others.
OF_A_CACHE: Mapping[str, int | bool] = {
    "proxy_speed_kb": -1,
    "max_upstream_conn": -1,
    "proxy_cache_local_on_not_found": False,
}


def contradictions(spec: HarborSpec) -> Iterator[tuple[Location, str]]:
    """Give place and problem of each; of projects with all that holds for them by their profile and the defaults."""
    for project in spec.all_projects.values():
        yield from ((("projects", project.name), what) for what in _of_cache(project))
    for number, what in _of_groups(spec):
        yield ("user_groups", number), what
    for number, what in _of_instances(spec.preheat_instances or ()):
        yield ("preheat_instances", number), what


def _of_groups(spec: HarborSpec) -> Iterator[tuple[int, str]]:
    """Groups that the file's own sign-in does not have: Harbor neither finds nor shows them."""
    mode = spec.system.config.auth_mode if spec.system and spec.system.config else None
    for number, each in enumerate(spec.user_groups or ()):
        if mode is not None and each.group_type not in _GROUPS_OF.get(mode, {"http", "oidc"}):
            yield number, f"{each.group_name} is a group of {each.group_type}, and auth_mode {mode} has none of these"


def _of_instances(instances: Sequence[PreheatInstanceSpec]) -> Iterator[tuple[int, str]]:
    endpoints: dict[str, str] = {}
    chosen = ""
    for number, each in enumerate(instances):
        endpoint = each.endpoint.rstrip("/")
        if endpoint in endpoints:
            yield number, f"{endpoint} is the endpoint of {endpoints[endpoint]} already, and Harbor takes each once"
        if each.default and chosen:
            yield number, f"{each.name} cannot be the default, since {chosen} is"
        endpoints.setdefault(endpoint, each.name)
        chosen = chosen or (each.name if each.default else "")


def _of_cache(project: ProjectSpec) -> Iterator[str]:
    metadata = project.metadata
    if metadata is None:
        return
    if project.registry is None:
        for name, usual in OF_A_CACHE.items():
            if getattr(metadata, name) not in {None, usual}:
                yield f"metadata.{name} is for caches of another registry, and {project.name} names no registry"
    elif metadata.enable_content_trust:
        yield "metadata.enable_content_trust: Harbor keeps no notation policy for a cache of another registry"
