"""What each part of harbor.yaml may say and all of it together may not. Harbor would drop it without a word.

for project, what in contradictions(spec): …
"""

from collections.abc import Iterator, Mapping

from slipway.harbor.spec.projects import ProjectSpec
from slipway.harbor.spec.root import HarborSpec

#: What only a cache of another registry has, and what it is of others.
OF_A_CACHE: Mapping[str, int | bool] = {
    "proxy_speed_kb": -1,
    "max_upstream_conn": -1,
    "proxy_cache_local_on_not_found": False,
}


def contradictions(spec: HarborSpec) -> Iterator[tuple[str, str]]:
    """Give project and problem of each, with all that holds for the project by its profile and the defaults."""
    for project in spec.all_projects.values():
        yield from ((project.name, what) for what in _of_cache(project))


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
