"""Projects: metadata, allowlist, quota, scanner, and the registry that one is a cache of.

A project is made by a POST (with the quota), then a PUT for the allowlist, then a PUT for the scanner: Harbor takes
no more at once. Key and name are the same; ids are used in paths, since a name of digits would be taken for one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from infra.errors import NotAllowedNow, Problem
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import artifacts, projects, quotas
from slipway.harbor.client.models import AllowedCve, Allowlist, Project, ProjectMetadata, ProjectReq, Quota
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import all_good, allowlist_data, together
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.base import size_text
from slipway.harbor.spec.checks import OF_A_CACHE
from slipway.harbor.spec.projects import ProjectSpec

#: What Harbor does where a key is not set.
METADATA: Mapping[str, Any] = {
    "public": False,
    "auto_scan": False,
    "auto_sbom_generation": False,
    "prevent_vul": False,
    "severity": None,
    "reuse_sys_cve_allowlist": True,
    "enable_content_trust_cosign": False,
    "enable_content_trust": False,
    "proxy_speed_kb": -1,
    "max_upstream_conn": -1,
    "proxy_cache_local_on_not_found": False,
}
_NAMES, _CHARACTERS = 100, 3000  # in one question
_FEW = 40  # quotas that are read one by one; above it the list is cheaper
_META = "metadata."
#: What slipway verify calls its own.
THROWAWAY = "slipway-verify-"
LIBRARY = "library"


class Projects(Kind):
    """Projects with what is part of them."""

    name: ClassVar = "project"
    fixed: ClassVar = frozenset({"registry"})

    def desired(self, spec: HarborSpec) -> Desired:
        lists = {} if spec.projects is None else {"": not spec.projects}
        return Desired(objects=[self._wanted(project) for project in spec.all_projects.values()], lists=lists)

    def _wanted(self, project: ProjectSpec) -> Object:
        needs = [Ref("registry", project.registry)] if project.registry else []
        needs += [Ref("scanner", project.scanner)] if project.scanner else []
        return Object(
            kind=self.name,
            key=project.name,
            fields=dict(_fields(project)),
            needs=tuple(needs),
            at=("projects", project.name),
            adopt=project.adopt or "",
            protect=project.protect,
            keep=project.deletion_policy or "",
        )

    # --- reading

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        limited = [name for name in scope.keys if scope.cares(name, "storage_quota")]
        many = (scope.everything and not scope.keys) or len(limited) > _FEW
        # Of quotas Harbor makes one wait, idle, so they are asked for first, and the projects meanwhile.
        rows, found = await together(harbor.all(quotas.every()) if many else _none(), _projects(harbor, scope))
        if not many:
            rows = await _quotas(harbor, [each for each in found if scope.cares(each.name, "storage_quota")])
        limits = {each.ref.id: each.hard.get("storage", -1) for each in rows if each.ref}
        scanners = await _scanners(harbor, [each for each in found if scope.cares(each.name, "scanner")])
        registries = {each.id: each.key for each in world.of("registry")}
        seen = [self._seen(each, registries, limits, scanners) for each in found]
        return [_as_declared(each, scope) for each in seen] if "registry" in world.unread else seen

    def _seen(
        self, project: Project, registries: Mapping[str, str], limits: Mapping[int, int], scanners: Mapping[int, str]
    ) -> Object:
        allowed = project.cve_allowlist or Allowlist()
        number, registry = project.project_id, project.registry_id
        fields = {f"{_META}{key}": _read(project.metadata, key) for key in METADATA}
        fields["cve_allowlist.items"] = sorted(each.cve_id for each in allowed.items)
        fields["cve_allowlist.expires_at"] = allowed.expires_at or None
        fields["registry"] = registries.get(str(registry), f"#{registry}") if registry else None
        fields |= {"storage_quota": limits[number]} if number in limits else {}
        fields |= {"scanner": scanners[number]} if number in scanners else {}
        return Object(
            kind=self.name,
            key=project.name,
            fields=fields,
            id=str(number),
            owner=project.owner_name,
            links={"retention": project.metadata.retention_id or ""},
            guard="made by Harbor itself" if project.name == LIBRARY else "",
            content=f"{project.repo_count} repositories" if project.repo_count else "",
        )

    # --- exporting

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        usual = draft.world.get("default-scanner", "system")
        for one in present:
            if one.key.startswith(THROWAWAY):
                draft.leave(one, "a check of slipway verify left it; slipway verify --remove-leftovers deletes it")
                continue
            fields, data = one.fields, self._declared(one, draft)
            if "storage_quota" in fields:
                data["storage_quota"] = size_text(fields["storage_quota"])
            if allowed := allowlist_data(fields, "cve_allowlist."):
                data["cve_allowlist"] = allowed
            if fields.get("scanner") and (usual is None or fields["scanner"] != usual.fields.get("name")):
                data["scanner"] = fields["scanner"]
            # Harbor makes this one, so that elsewhere it is there and not ours.
            data |= {"adopt": "always"} if one.key == LIBRARY else {}
            draft.put(("projects", one.key), data, one)

    def _declared(self, one: Object, draft: Draft) -> dict[str, Any]:
        """Give registry and switches; of these all that a project of its sort has."""
        registry = one.fields.get("registry")
        is_cache = bool(registry) and not registry.startswith("#")
        if registry and not is_cache:
            draft.leave(one, f"its registry {registry} is not to be seen, so it is written as no cache of one")
        switches = {key: one.fields[f"{_META}{key}"] for key in METADATA if f"{_META}{key}" in one.fields}
        for key in OF_A_CACHE:
            if key in switches and (not is_cache or switches[key] == METADATA[key]):
                del switches[key]
        if is_cache and switches.get("enable_content_trust"):
            del switches["enable_content_trust"]  # Harbor has it, and does not heed it
        switches = {key: value for key, value in switches.items() if value is not None}
        return ({"registry": registry} if is_cache else {}) | {"metadata": switches}

    # --- writing

    async def create(self, site: Site, wanted: Object) -> str:
        fields = wanted.fields
        request = ProjectReq(
            project_name=wanted.key,
            metadata=_metadata({key: fields.get(f"{_META}{key}") for key in METADATA}),
            storage_limit=fields.get("storage_quota"),
            registry_id=site.world.number("registry", fields["registry"]) if fields.get("registry") else None,
        )

        async def find() -> Created | None:
            there = await site.harbor.all(projects.named([wanted.key]))
            return Created(str(there[0].project_id)) if there else None

        made = await site.harbor.create(projects.create(request), find)
        await self._rest(site, made.number, wanted, frozenset(fields) - {"storage_quota"})
        return made.id

    async def update(self, site: Site, edit: Edit) -> None:
        number = edit.present.number
        changed = {name.removeprefix(_META) for name in edit.fields if name.startswith(_META)}
        values = {key: edit.value(f"{_META}{key}") for key in sorted(changed)}
        resets = [key for key, value in values.items() if value is None]
        for key in resets:
            # A PUT merges; only this takes a key away.
            await site.harbor.send(projects.reset_metadata(number, key))
        if values:
            # What was taken away stays in Harbor's cache layer until something is set: see forget_metadata.
            public = {"public": edit.value(f"{_META}public")} if resets else {}
            await site.harbor.send(projects.update(number, ProjectReq(metadata=_metadata(public | values))))
        await self._rest(site, number, edit.wanted, edit.fields, edit)

    async def _rest(
        self, site: Site, number: int, wanted: Object, changed: frozenset[str], edit: Edit | None = None
    ) -> None:
        """Set what is not metadata."""
        if any(name.startswith("cve_allowlist.") for name in changed):
            value = edit.value if edit else wanted.fields.get
            items = [AllowedCve(cve_id=each) for each in value("cve_allowlist.items") or ()]
            allowed = Allowlist(items=items, expires_at=value("cve_allowlist.expires_at"))
            await site.harbor.send(projects.update(number, ProjectReq(cve_allowlist=allowed)))
        if "storage_quota" in changed:
            for quota in await site.harbor.all(quotas.of_project(number)):
                await site.harbor.send(quotas.update(quota.id, wanted.fields["storage_quota"]))
        if wanted.fields.get("scanner") and "scanner" in changed:
            uuid = site.world.id("scanner", wanted.fields["scanner"])
            await site.harbor.send(projects.set_scanner(number, uuid))

    async def delete(self, site: Site, present: Object) -> None:
        if present.key in site.delete_content:
            for each in await site.harbor.all(artifacts.repositories(present.key)):
                repository = each.name.removeprefix(f"{present.key}/")
                await site.harbor.send(artifacts.delete_repository(present.key, repository))
        elif present.content:
            what = f"project {present.key} is not empty: {present.content}"
            fix = f"see docs/harbor-as-code.md: policy.project_deletion and --delete-content {present.key}"
            raise NotAllowedNow(Problem(where="Harbor", what=what, fix=fix))
        await site.harbor.send(projects.delete(present.number))


# --- fields


def _as_declared(one: Object, scope: Scope) -> Object:
    """Give a project whose registry nobody may see: that kind is told as not looked at, and here nothing differs."""
    declared = scope.wanted[one.key].fields.get("registry") if one.key in scope.wanted else None
    return replace(one, fields={**one.fields, "registry": declared})


def _fields(project: ProjectSpec) -> Iterator[tuple[str, Any]]:
    for key, value in project.metadata.given() if project.metadata else ():
        yield f"{_META}{key}", METADATA[key] if value is None else value
    if (allowed := project.cve_allowlist) is not None:
        if allowed.has("items"):
            yield "cve_allowlist.items", sorted(set(allowed.items or ()))
        if allowed.has("expires_at"):
            yield "cve_allowlist.expires_at", allowed.expires_at
    elif project.has("cve_allowlist"):
        yield "cve_allowlist.items", []
        yield "cve_allowlist.expires_at", None
    if project.registry:
        yield "registry", project.registry
    if project.has("storage_quota"):
        yield "storage_quota", -1 if project.storage_quota is None else project.storage_quota
    if project.scanner:
        yield "scanner", project.scanner


def _read(metadata: ProjectMetadata, key: str) -> Any:  # noqa: ANN401  # a truth value, a number, a word
    """Give a metadata value as its type; what Harbor took unchecked stays text, and differs from anything."""
    text, default = getattr(metadata, key), METADATA[key]
    if not text:
        return default
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(default, int):
        return int(text) if text.lstrip("-").isdigit() else text
    return text


async def forget_metadata(site: Site, project: str) -> None:
    """Make Harbor's cache layer, where it is on, read a project's metadata anew.

    A key that was deleted stays in it for its hours (a day in the chart), with the number of a retention policy that
    is no more and whose reading is an error 500. Any change of metadata drops all of the project's.
    """
    found = site.world.get("project", project)
    if found is not None and (public := found.fields.get(f"{_META}public")) is not None:
        change = ProjectReq(metadata=_metadata({"public": public}))
        await site.harbor.send(projects.update(found.number, change))


def _metadata(values: Mapping[str, Any]) -> ProjectMetadata:
    return ProjectMetadata(
        **{
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for key, value in values.items()
            if value is not None
        }
    )


# --- lists


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give the names in as few questions as fit into an address."""
    chunk, length = [], 0
    for name in names:
        if len(chunk) == _NAMES or length + len(name) > _CHARACTERS:
            yield chunk
            chunk, length = [], 0
        chunk.append(name)
        length += len(name) + 1
    if chunk:
        yield chunk


async def _projects(harbor: HarborClient, scope: Scope) -> list[Project]:
    if scope.everything and not scope.keys:
        return await harbor.all(projects.every())
    return await projects_of(harbor, sorted(scope.keys))


async def projects_of(harbor: HarborClient, names: Sequence[str]) -> list[Project]:
    """Read those of these names that there are, in few requests."""
    asked = _chunks(names)
    pages = await harbor.each(lambda names=names: harbor.all(projects.named(names)) for names in asked)
    return [each for rows in all_good(pages) for each in rows]


async def _quotas(harbor: HarborClient, found: Sequence[Project]) -> list[Quota]:
    """Read the quotas of a few projects, one request each."""
    numbers = [each.project_id for each in found]
    pages = await harbor.each(lambda number=number: harbor.all(quotas.of_project(number)) for number in numbers)
    return [each for page in all_good(pages) for each in page]


async def _none() -> list[Quota]:
    return []


async def _scanners(harbor: HarborClient, found: Sequence[Project]) -> Mapping[int, str]:
    """Give the names of the scanners of these projects, by the project's id: one request each."""
    scanners = all_good(await harbor.each(projects.scanner(each.project_id) for each in found))
    return {each.project_id: scanner.name for each, scanner in zip(found, scanners, strict=True) if scanner is not None}
