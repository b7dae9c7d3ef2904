"""What projects share, written once: `project_defaults`, and `profiles` for what several have alike.

compact(data, incomplete=set())      # {"project_defaults": …, "profiles": …, "projects": {"payments": "like-billing"}}

Each step changes only how the same is said: a project's defaults, its profile and its own line give what it had.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from slipway.harbor.kinds.projects import METADATA
from slipway.harbor.spec.projects import NAMED_BY, ProjectLine

#: Values that a whole project may be given by its defaults, and what a project says that has none of them.
_WHOLE: Mapping[str, Any] = {"cve_allowlist": None, "retention_policy": None, "immutable_tag_rules": []}
#: Of these what is absent is as null says.
_FILLED = {"cve_allowlist"}
_UNLIMITED = "unlimited"
#: So many projects with the same make a profile.
_ALIKE = 3
_LONGEST = 255
_ORDER = {name: place for place, name in enumerate(["profile", *ProjectLine.model_fields])}

Project = dict[str, Any]


def compact(data: Mapping[str, Any], incomplete: Collection[tuple[str, str]]) -> dict[str, Any]:
    """Give the data with what projects share written once.

    Args:
        incomplete: project and list of which something is not in the data: nothing may say that it is empty.
    """
    projects: dict[str, Project] = {name: deepcopy(each) for name, each in data.get("projects", {}).items()}
    rest = {key: value for key, value in data.items() if key != "projects"}
    _drop_library(projects)
    if not projects:
        return rest
    _drop_untouched(projects)
    defaults = _defaults(projects, set(incomplete))
    profiles = _profiles(projects)
    lines = {name: _line(project) for name, project in projects.items()}
    return {
        **rest,
        **({"project_defaults": _sorted(defaults)} if defaults else {}),
        **({"profiles": {name: _sorted(each) for name, each in profiles.items()}} if profiles else {}),
        "projects": lines,
    }


# --- what nobody changed


def _drop_library(projects: dict[str, Project]) -> None:
    """Take out the project that Harbor makes by itself, if it is as Harbor made it."""
    made = {key: value for key, value in METADATA.items() if value is not None} | {"public": True}
    library = dict(projects.get("library", {"-": None}))
    if library.pop("storage_quota", _UNLIMITED) == _UNLIMITED and library.pop("adopt", ""):
        switches = library.pop("metadata", {})
        if not library and all(made.get(key) == value for key, value in switches.items()):
            del projects["library"]


def _drop_untouched(projects: Mapping[str, Project]) -> None:
    """Take out switches, and the quota, that are as Harbor makes them in every project; `public` is always said."""
    for key in METADATA:
        there = [each["metadata"] for each in projects.values() if key in each["metadata"]]
        if key != "public" and all(each[key] == METADATA[key] for each in there):
            for each in there:
                del each[key]
    if all(each.get("storage_quota", _UNLIMITED) == _UNLIMITED for each in projects.values()):
        for each in projects.values():
            each.pop("storage_quota", None)
    for each in projects.values():
        if not each["metadata"]:
            del each["metadata"]


# --- defaults


def _defaults(projects: Mapping[str, Project], incomplete: set[tuple[str, str]]) -> Project:
    """Move what most projects have into the defaults, and let the others say that they have it not."""
    defaults: Project = {}
    if len(projects) < _ALIKE:
        return defaults
    values: list[tuple[Sequence[str], Any]] = [
        (("metadata", key), None if usual is None else ...) for key, usual in METADATA.items()
    ]
    values += [(("storage_quota",), ...), *(((key,), none) for key, none in _WHOLE.items())]
    for path, none in values:
        unsure = any(_is_in(path, part) for _, part in incomplete)
        _common(projects, path, defaults, missing=... if unsure else none)
    for key in NAMED_BY:
        path = ("members", key) if key in {"users", "groups"} else (key,)
        _common_items(projects, path, defaults, incomplete)
    return defaults


def _common(projects: Mapping[str, Project], path: Sequence[str], defaults: Project, *, missing: Any) -> None:  # noqa: ANN401  # any value of a file
    """Move the value that more than half of the projects have.

    Args:
        missing: what a project says that has none; with `...` every project has to have one.
    """
    held = {name: _get(project, path) for name, project in projects.items()}
    if missing is ... and any(value is ... for value in held.values()):
        return
    counted = Counter(_text(value) for value in held.values() if value is not ...)
    [(most, count)] = counted.most_common(1) or [("", 0)]
    if count * 2 <= len(projects):
        return
    value = next(each for each in held.values() if _text(each) == most)
    others = [each for each in held.values() if isinstance(each, dict) and _text(each) != most]
    if isinstance(value, dict) and path[-1] not in _FILLED and any(value.keys() - each.keys() for each in others):
        return  # what is absent from a project's would be that of the defaults
    _set(defaults, path, value)
    for name, project in projects.items():
        if held[name] is ...:
            _set(project, path, missing)
        elif _text(held[name]) == most:
            _remove(project, path)
        elif isinstance(value, dict):
            _set(project, path, dict.fromkeys(value) | held[name])


def _common_items(
    projects: Mapping[str, Project],
    path: Sequence[str],
    defaults: Project,
    incomplete: set[tuple[str, str]],
) -> None:
    """Move the members, robots … that every project has which has any; the others say that they have none."""
    held = {name: value for name, project in projects.items() if (value := _get(project, path)) is not ...}
    others = projects.keys() - held.keys()
    if len(held) * 2 <= len(projects) or any((name, ".".join(path)) in incomplete for name in others):
        return
    shared = set.intersection(*({_text(item) for item in items} for items in held.values()))
    if not shared:
        return
    some = next(iter(held.values()))
    _set(defaults, path, [item for item in some if _text(item) in shared])
    for name, items in held.items():
        own = [item for item in items if _text(item) not in shared]
        if own:
            _set(projects[name], path, own)
        else:
            _remove(projects[name], path)
    for name in others:
        _set(projects[name], path, [])


# --- profiles


def _profiles(projects: Mapping[str, Project]) -> dict[str, Project]:
    """Move what several projects have alike, members and adoption aside, into profiles."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, project in sorted(projects.items()):
        body = {key: value for key, value in project.items() if key not in {"members", "adopt"}}
        if body:
            groups[_text(body)].append(name)
    profiles = {}
    for names in groups.values():
        if len(names) < _ALIKE:
            continue
        first = projects[names[0]]
        keys = [key for key in first if key not in {"members", "adopt"}]
        if "members" in first and len({_text(projects[name].get("members")) for name in names}) == 1:
            keys.append("members")
        profile = f"like-{names[0]}"[:_LONGEST].rstrip("._-")
        profiles[profile] = {key: first[key] for key in keys}
        for name in names:
            for key in keys:
                del projects[name][key]
            projects[name]["profile"] = profile
    return profiles


def _line(project: Project) -> Project | str:
    return project["profile"] if project.keys() == {"profile"} else _sorted(project)


# --- paths


def _is_in(path: Sequence[str], part: str) -> bool:
    whole = ".".join(path)
    return part == whole or part.startswith(f"{whole}.")


def _get(project: Mapping[str, Any], path: Sequence[str]) -> Any:  # noqa: ANN401  # any value of a file
    """Give a value; `...` where there is none."""
    value: Any = project
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return ...
        value = value[key]
    return value


def _set(project: Project, path: Sequence[str], value: Any) -> None:  # noqa: ANN401
    for key in path[:-1]:
        project = project.setdefault(key, {})
    project[path[-1]] = value


def _remove(project: Project, path: Sequence[str]) -> None:
    for end in range(len(path), 0, -1):
        above = _get(project, path[: end - 1]) if end > 1 else project
        if end == len(path) or not above[path[end - 1]]:
            del above[path[end - 1]]


def _text(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, sort_keys=True, default=str)


def _sorted(project: Project) -> Project:
    return dict(sorted(project.items(), key=lambda pair: _ORDER[pair[0]]))
