"""Every image that an environment's cluster pulls, and where the list knows it from.

found = images(facts, files, charts)
[one.reference for one in found.images if one.part == "harbor"]
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from infra import tables
from slipway.diff.sides import HARBOR, Charts, side
from values.composition import Composition
from values.facts import Facts
from values.releases import releases

Part = Literal["harbor", "support", "flux", "controllers", "trivy databases"]
_PARTS: tuple[Part, ...] = ("harbor", "support", "flux", "controllers", "trivy databases")


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image.

    Attributes:
        reference: with registry and tag.
        part: of the environment that it belongs to.
        users: components that pull it.
        known_from: ``chart`` where it was rendered, ``table`` where a table says so, ``settings``.
        artifact: an OCI artifact that a program reads, not an image that a node runs.
    """

    reference: str
    part: Part
    users: tuple[str, ...]
    known_from: Literal["chart", "table", "settings"]
    artifact: bool = False

    @property
    def registry(self) -> str:
        """Host of the registry."""
        return self.reference.partition("/")[0]

    @property
    def path(self) -> str:
        """Repository and tag, without the registry."""
        return self.reference.partition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Images:
    """What is pulled.

    Attributes:
        images: by part, then by name.
        addons: EKS add-ons and their versions; AWS serves their images from its own registry of the region.
        notes: what the list could not know.
    """

    images: Sequence[Image]
    addons: Mapping[str, str]
    notes: Sequence[str]


def images(facts: Facts, files: Mapping[str, str], charts: Charts) -> Images:
    """List what an environment pulls.

    Args:
        facts: of the environment; whether they are examples makes no difference.
        files: what it renders to.
        charts: gives the archive of a release's chart; without it tables are asked.

    Raises:
        ChartError: a chart does not render with the values.
    """
    ours = [release.name for release in releases(files) if release.chart == HARBOR or not release.repository]
    made = side(files, charts, only=ours)
    found: list[Image] = []
    for release, items in made.made.items():
        part: Part = "harbor" if release == HARBOR else "support"
        for item in items or ():
            named = (_normal(name) for name in _pulled(item.object))
            found += [Image(reference=name, part=part, users=(item.component,), known_from="chart") for name in named]
    notes: list[str] = []
    if made.made.get(HARBOR) is None:
        notes = ["the chart is not in the cache, so Harbor's images are those of tables/images.yaml"]
        found += _harbor(facts)
    found += [*_flux(), *_controllers(facts), *_databases(facts), *_layer3(facts)]
    return Images(images=_merged(found), addons=_addons(facts), notes=notes)


def upstream(facts: Facts) -> Facts:
    """Give facts whose images come from where their makers publish them, whatever mirror the settings name."""
    options = facts.harbor
    plain = options.model_copy(
        update={
            "images": options.images.model_copy(update={"registry": ""}),
            "infrastructure": options.infrastructure.model_copy(update={"registries": {}}),
        }
    )
    return facts.model_copy(update={"harbor": plain})


def _pulled(item: Mapping[str, Any]) -> Iterator[str]:
    """Give the images of every pod that an object makes, whatever its kind."""
    for key, value in item.items():
        if key in {"containers", "initContainers"} and isinstance(value, list):
            yield from (one["image"] for one in value if isinstance(one, Mapping) and one.get("image"))
        elif isinstance(value, Mapping):
            yield from _pulled(value)


def _normal(name: str) -> str:
    """Write out the registry that an image's name leaves out."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _harbor(facts: Facts) -> Iterator[Image]:
    """Give Harbor's images by the table, for the parts that are on."""
    table, composition = tables.read("images"), Composition.of(facts)
    row = table["harbor"][facts.chart_version]
    registry = facts.harbor.images.registry or row["from"]
    parts = dict.fromkeys(composition.replicas)
    if composition.expose == "nodePort":
        parts["nginx"] = None
    if facts.database is None:
        parts["database"] = None
    if facts.cache is None:
        parts["redis"] = None
    repositories = {**table["repositories"], "redis": [row["redis"]]}
    for part in parts:
        for repository in repositories[part]:
            reference = f"{registry}/{repository}:{row['tag']}"
            yield Image(reference=reference, part="harbor", users=(part,), known_from="table")


def _flux() -> Iterator[Image]:
    flux, table = tables.read("flux"), tables.read("images")
    operator = f"{table['flux-operator']}:v{flux['operator']['version']}"
    yield Image(reference=operator, part="flux", users=("flux-operator",), known_from="table")
    for name, version in table["flux"]["controllers"].items():
        reference = f"{flux['distribution']['registry']}/{name}:{version}"
        yield Image(reference=reference, part="flux", users=(name,), known_from="table")
    manifests = flux["distribution"]["artifact"].removeprefix("oci://")
    yield Image(reference=manifests, part="flux", users=("flux-operator",), known_from="table", artifact=True)


def _controllers(facts: Facts) -> Iterator[Image]:
    """Give the images of the controllers that are ours, from where the settings say they come."""
    options = facts.harbor.infrastructure
    balancer = options.load_balancer_controller
    if balancer is None:
        balancer = Composition.of(facts).expose == "alb"
    on = {
        "aws-load-balancer-controller": balancer,
        "external-dns": options.external_dns,
        "external-secrets": options.external_secrets,
    }
    for name, row in tables.read("controllers").items() if facts.aws else ():
        for upstream in row["images"] if on.get(name, True) else ():
            registry, _, path = upstream.partition("/")
            reference = f"{options.registries.get(registry, registry)}/{path}"
            yield Image(reference=reference, part="controllers", users=(name,), known_from="table")


def _databases(facts: Facts) -> Iterator[Image]:
    """Give Trivy's databases: artifacts that Trivy itself pulls, the first that answers."""
    options = facts.harbor.trivy
    for reference in (*options.db_repositories, *options.java_db_repositories) if options.enabled else ():
        yield Image(reference=reference, part="trivy databases", users=("trivy",), known_from="settings", artifact=True)


def _layer3(facts: Facts) -> Iterator[Image]:
    if facts.harbor.layer3.enabled:
        reference = _normal(facts.harbor.layer3.image)
        yield Image(reference=reference, part="support", users=("layer3",), known_from="settings")


def _addons(facts: Facts) -> dict[str, str]:
    if facts.aws is None:
        return {}
    names = [*tables.addons("before-nodes"), *tables.addons("after-nodes")]
    version = facts.aws.kubernetes_version
    return {name: tables.addon_version(name, version) or "EKS's default" for name in names}


def _merged(found: Iterable[Image]) -> list[Image]:
    """One row for each image, with everybody who pulls it."""
    rows: dict[str, Image] = {}
    for one in found:
        known = rows.setdefault(one.reference, one)
        users = tuple(dict.fromkeys([*known.users, *one.users]))
        rows[one.reference] = replace(known, users=users)
    return sorted(rows.values(), key=lambda one: (_PARTS.index(one.part), one.artifact, one.reference))
