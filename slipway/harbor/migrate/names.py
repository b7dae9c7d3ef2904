"""Which project and repository each name of the source becomes, and all names that Harbor would refuse.

targets(["team/app", "nginx"], Naming(default_project="base"))     # team/app stays, nginx is base/nginx
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.errors import MigrationError, Problem
from infra.layers import did_you_mean
from slipway.harbor.migrate.model import Target
from slipway.harbor.spec.base import NAME

_PROJECT = re.compile(NAME)
#: What distribution's server takes as a part of a repository's name.
_PART = re.compile(r"^[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*$")
_LONGEST = 255


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How names become others.

    Attributes:
        default_project: of repositories without a slash.
        renames: project there → project here.
    """

    default_project: str = ""
    renames: Mapping[str, str] = field(default_factory=dict)


def renames_of(given: Sequence[str]) -> Mapping[str, str]:
    """Read OLD=NEW.

    Raises:
        MigrationError: it is not written so, or two for one.
    """
    pairs = [text.partition("=") for text in given]
    fix = "write --rename OLD=NEW, one project each"
    wrong = [Problem(where="--rename", what=f"{''.join(each)!r} is none", fix=fix) for each in pairs if not all(each)]
    olds = [old for old, _, _ in pairs]
    wrong += [
        Problem(where="--rename", what=f"{old} is renamed twice") for old in sorted(set(olds)) if olds.count(old) > 1
    ]
    if wrong:
        raise MigrationError(*wrong)
    return {old: new for old, _, new in pairs}


def chosen(names: Iterable[str], include: Sequence[str], exclude: Sequence[str]) -> Sequence[str]:
    """Give the names that a pattern includes (without any: all) and none excludes; * goes over slashes.

    Raises:
        MigrationError: a pattern fits nothing, or nothing is left.
    """
    every = sorted(names)
    problems = []
    for option, patterns in (("--include", include), ("--exclude", exclude)):
        for pattern in patterns:
            if not any(fnmatch.fnmatchcase(name, pattern) for name in every):
                what = f"no repository is named like {pattern!r}{did_you_mean(pattern, every)}"
                problems.append(Problem(where=option, what=what, fix="* and ? stand for any characters, / too"))
    kept = [name for name in every if not include or _like(name, include)]
    kept = [name for name in kept if not _like(name, exclude)]
    if not kept and not problems:
        problems.append(Problem(where="--exclude", what="excludes every repository that is left", fix="leave it out"))
    if problems:
        raise MigrationError(*problems)
    return kept


def _like(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def targets(names: Sequence[str], naming: Naming) -> Mapping[str, Target]:
    """Give the target of each name.

    Raises:
        MigrationError: with every name that cannot be, all at once.
    """
    found: dict[str, Target] = {}
    problems = [*_wrong_options(naming, names)]
    homeless = []
    for name in names:
        target = _target(name, naming)
        if target is None:
            homeless.append(name)
        else:
            found[name] = target
            problems += _wrong(name, target)
    if homeless:
        shown = ", ".join(homeless[:5]) + (f" and {len(homeless) - 5} more" if len(homeless) > 5 else "")
        fix = "name a project for them: --default-project base"
        problems.append(Problem(where=shown, what="has no project in its name, and Harbor needs one", fix=fix))
    problems += _clashes(found)
    if problems:
        raise MigrationError(*problems)
    return found


def _target(name: str, naming: Naming) -> Target | None:
    first, slash, rest = name.partition("/")
    if not slash:
        if not naming.default_project:
            return None
        return Target(project=naming.default_project, repository=name, namespace=naming.default_project, count=0)
    if first in naming.renames:
        new = naming.renames[first]
        return Target(project=new, repository=rest, namespace=new, count=1)
    return Target(project=first, repository=rest)


def _wrong_options(naming: Naming, names: Sequence[str]) -> Iterable[Problem]:
    new = [("--default-project", naming.default_project)] if naming.default_project else []
    new += [("--rename", each) for each in naming.renames.values()]
    for option, project in new:
        if not _PROJECT.match(project) or len(project) > _LONGEST:
            what = f"{project!r} is no name that Harbor takes for a project"
            yield Problem(where=option, what=what, fix="small letters and digits, with single . _ - between them")
    projects = {name.partition("/")[0] for name in names if "/" in name}
    for old in naming.renames:
        if old not in projects:
            what = f"there is no {old}/… to rename{did_you_mean(old, projects)}"
            yield Problem(where="--rename", what=what, fix="the first part of a repository's name is its project")


def _wrong(name: str, target: Target) -> Iterable[Problem]:
    first = name.partition("/")[0]
    if not target.namespace and not _PROJECT.match(target.project):
        what = f"Harbor takes no project named {target.project!r}"
        yield Problem(where=name, what=what, fix=f"give it another name (--rename {first}=NEW), or --exclude it")
    if not all(_PART.match(part) for part in target.repository.split("/")):
        what = f"Harbor takes no repository named {target.repository!r}"
        yield Problem(where=name, what=what, fix="--exclude it, or copy it under another name at the source first")
    if len(target.name) > _LONGEST:
        what = f"its name in Harbor would have {len(target.name)} characters, and {_LONGEST} is the most"
        yield Problem(where=name, what=what, fix=f"--exclude it, or a shorter project: --rename {first}=NEW")


def _clashes(found: Mapping[str, Target]) -> Iterable[Problem]:
    by_name: dict[str, list[str]] = {}
    for name, target in found.items():
        by_name.setdefault(target.name, []).append(name)
    for target, names in by_name.items():
        if len(names) > 1:
            what = f"would all become {target}, one over the other"
            yield Problem(where=", ".join(sorted(names)), what=what, fix="another --default-project or --rename")
