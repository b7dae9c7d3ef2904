"""From files to the specification: one file, several, or a folder; every problem at once, with file and line.

spec = load([Path("stacks/prod/harbor.yaml")])
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from infra.errors import Problem, SettingsError, SpecError
from infra.layers import did_you_mean
from infra.yaml_file import Document, Location, parsed_with_problems
from slipway.harbor.spec.checks import contradictions
from slipway.harbor.spec.places import Places
from slipway.harbor.spec.robots import RobotSpec
from slipway.harbor.spec.root import HarborSpec
from slipway.harbor.spec.secret import SecretRef, Source

#: Lists that several files may add to; all others belong to one file.
_SHARED = {
    "labels", "registries", "user_groups", "users", "robots", "replication_policies", "preheat_instances",
}  # fmt: skip


def load(paths: Sequence[Path]) -> HarborSpec:
    """Read the files as one.

    Raises:
        SpecError: with every problem in them.
    """
    documents, problems = _documents(paths)
    whole: dict[str, Any] = {}
    places = Places()
    for document in documents:
        data, moved, found = _canonical(document)
        problems += found
        problems += _merge(whole, data, (), _Source(document, moved), places)
    try:
        spec = HarborSpec.model_validate(whole)
    except ValidationError as error:
        problems += [_problem(each, places) for each in error.errors(include_url=False)]
        raise SpecError(*problems) from None
    problems += _strange_profiles(spec, places)
    if problems:
        raise SpecError(*problems)
    if problems := list(_shared_places(spec, places)):
        raise SpecError(*problems)
    if found := [Problem(where=places.place(place), what=what) for place, what in contradictions(spec)]:
        raise SpecError(*found)
    spec._places.roots.update(places.roots)  # noqa: SLF001  # a private attribute of pydantic's cannot be given
    return spec


def files(path: Path) -> Sequence[Path]:
    """Give the file, or the YAML files of a folder in order of their names.

    Raises:
        SpecError: there are none.
    """
    if path.is_dir():
        # A ConfigMap in a pod is a folder of links into a hidden one, where everything is a second time.
        found = sorted(
            each
            for each in path.rglob("*")
            if each.suffix in {".yaml", ".yml"}
            and not any(part.startswith(".") for part in each.relative_to(path).parts)
        )
        if not found:
            raise SpecError(Problem(where=str(path), what="there is no YAML file in the folder"))
        return found
    return [path]


def _documents(paths: Sequence[Path]) -> tuple[list[Document], list[Problem]]:
    documents, problems = [], []
    for path in paths:
        try:
            document, twice = parsed_with_problems(path, path.read_bytes())
            documents.append(document)
            problems += twice
        except SettingsError as error:
            problems += error.problems
        except OSError as error:
            fix = "make the file, or name it with --file; docs/harbor-as-code.md shows one to start from"
            problems.append(Problem(where=str(path), what=f"cannot be read: {error.strerror}", fix=fix))
    return documents, problems


# --- one form of a project


class _Source:
    """A file, and where its projects stand if they are a list."""

    def __init__(self, document: Document, moved: Mapping[str, int]) -> None:
        self.document, self._moved = document, moved

    def own(self, location: Location) -> Location:
        if location[:1] == ("projects",) and len(location) > 1 and location[1] in self._moved:
            return ("projects", self._moved[str(location[1])], *location[2:])
        return location


def _canonical(document: Document) -> tuple[dict[str, Any], Mapping[str, int], list[Problem]]:
    """Give the data with projects as a mapping of mappings, and the places of those that were in a list."""
    data = document.data
    if not isinstance(data, dict):
        return {}, {}, [Problem(where=str(document.path), what=f"must be a mapping, got {type(data).__name__}")]
    projects, moved, problems = data.get("projects"), {}, []
    if isinstance(projects, list):
        listed: dict[str, Any] = {}
        for number, each in enumerate(projects):
            name = each.get("name") if isinstance(each, dict) else each
            where = document.place(("projects", number))
            if not isinstance(name, str):
                problems.append(Problem(where=where, what="a project without a name", fix="write - name: payments"))
            elif name in listed:
                problems.append(Problem(where=where, what=f"project {name} stands here a second time"))
            else:
                rest = {key: value for key, value in each.items() if key != "name"} if isinstance(each, dict) else None
                listed[name], moved[name] = rest, number
        projects = listed
    if isinstance(projects, dict):
        data = data | {"projects": {name: _line(each) for name, each in projects.items()}}
    return data, moved, problems


def _line(value: object) -> object:
    """Give a project's mapping; it may be written as the name of its profile, or as nothing at all."""
    if value is None:
        return {}
    return {"profile": value} if isinstance(value, str) else value


# --- several files as one


def _merge(
    whole: dict[str, Any], data: Mapping[str, Any], at: Location, source: _Source, places: Places
) -> Iterator[Problem]:
    for key, value in data.items():
        location = (*at, key)
        together = isinstance(value, dict) and (not at or at == ("system",))
        if key not in whole:
            places.add(location, source.document, source.own(location))
            whole[key] = {} if together else value
            if not together:
                continue
        there = whole[key]
        if together and isinstance(there, dict):
            yield from _merge(there, value, location, source, places)
        elif isinstance(there, list) and isinstance(value, list) and key in _SHARED and not at:
            for number, _ in enumerate(value):
                places.add((key, len(there) + number), source.document, (key, number))
            whole[key] = [*there, *value]
        else:
            here, other = source.document.place(source.own(location)), places.place(location)
            yield Problem(where=here, what=f"is set in another file as well: {other}", fix="keep one of them")


# --- problems


def _strange_profiles(spec: HarborSpec, places: Places) -> Iterator[Problem]:
    for name, line in (spec.projects or {}).items():
        if line.profile and line.profile not in spec.profiles:
            what = f"there is no profile {line.profile!r}{did_you_mean(line.profile, spec.profiles)}"
            known = f"profiles here: {', '.join(spec.profiles)}" if spec.profiles else "there are none in `profiles`"
            yield Problem(where=places.place(("projects", name, "profile")), what=what, fix=known)


def _shared_places(spec: HarborSpec, places: Places) -> Iterator[Problem]:
    """Find robots whose secrets would be kept in one place; two of them would overwrite each other."""
    seen: dict[str, str] = {}
    robots: list[tuple[str, int, RobotSpec]] = [("", number, each) for number, each in enumerate(spec.robots or ())]
    for name, project in spec.all_projects.items():
        robots += [(name, number, each) for number, each in enumerate(project.robots or ())]
    for project, number, robot in robots:
        if robot.secret is None:
            continue
        place, own = str(robot.secret.of(project, robot.name)), f"{project}/{robot.name}".strip("/")
        if place in seen:
            where = places.place(("projects", project, "robots") if project else ("robots", number))
            what = f"{place} is the place of two robots' secrets: {seen[place]} and {own}"
            yield Problem(where=where, what=what, fix="put {project} and {robot} into the name, which are filled in")
        seen[place] = own


def _problem(details: ErrorDetails, places: Places) -> Problem:
    location = tuple(part for part in details["loc"] if part != "[key]")
    where, value = places.place(location), details.get("input")
    if details["type"] == "extra_forbidden":
        known = _keys_at(location[:-1])
        near = did_you_mean(str(location[-1]), known)
        fix = "" if near else f"keys here: {', '.join(known)}" if known else "remove it"
        return Problem(where=where, what=f"{location[-1]!r} is no key here{near}", fix=fix)
    if details["type"] in {"model_type", "model_attributes_type"} and _is_secret(location):
        fix = "write {secretRef: {env: NAME}}, or awsSecretsManager or file in place of env"  # never the value
        return Problem(where=where, what="a secret is named here, never written", fix=fix)
    message = details["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(value, dict | list | BaseModel) else f", got {value!r}"
    # 42, yes and null, to YAML.
    fix = "put it into quotation marks" if details["type"] == "string_type" and shown else ""
    return Problem(where=where, what=f"{message[:1].lower()}{message[1:]}{shown}", fix=fix)


def _keys_at(location: Location) -> Sequence[str]:
    """Give the keys that a mapping may have."""
    model = reduce(_below, location, HarborSpec)
    return list(model.model_fields) if model else []


def _is_secret(location: Location) -> bool:
    return reduce(_below, location, HarborSpec) in {SecretRef, Source}


def _below(model: type[BaseModel] | None, part: str | int) -> type[BaseModel] | None:
    if model is None:
        return None
    if part not in model.model_fields:
        return model  # an index, or the name of a project or a profile
    return next(_models(model.model_fields[str(part)].annotation), None)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  # whatever a type may be
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)
