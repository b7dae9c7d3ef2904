"""From names of environments to their commits: settings, facts and overrides of each, one publish for each repository.

publications = publish_environments(["prod", "stage"], facts=None, dry_run=False, take_over=False, progress=print)
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from infra.assemble import renewed
from infra.delivery.inputs import Inputs, read_inside, read_overrides
from infra.errors import Problem, SettingsError, SlipwayError
from infra.settings import Settings
from infra.stack_config import environments as known_environments
from infra.stack_config import from_stack_file, stack_file
from slipway.project import find_root
from slipway.rendering import TOKEN_VARIABLE, read_facts, stack_output
from values.facts import Facts

if TYPE_CHECKING:
    from infra.delivery.git import Remote
    from infra.delivery.order import Published

Result = TypeVar("Result")

#: So many environments are named in a note.
_NAMED = 5
#: `pulumi stack output` mostly waits for its backend.
_ASKED_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What became of the environments of one branch.

    Attributes:
        remote: the branch.
        environments: their names.
        published: what was done.
    """

    remote: "Remote"
    environments: Sequence[str]
    published: "Published"


def publish_environments(
    names: Sequence[str],
    *,
    facts: str | None,
    dry_run: bool,
    take_over: bool,
    progress: Callable[[str], None],
) -> list[Publication]:
    """Publish environments, those of one branch in one commit.

    Args:
        names: of the stack files; empty for all that there are.
        facts: folder with ``<environment>.json``, or for one environment a file or ``-``; None for the stacks' outputs.
        dry_run: push nothing.
        take_over: overwrite what somebody edited by hand.
        progress: told about lost races, and how far it is when it takes long.

    Raises:
        SettingsError: stack files or facts are not usable; of all environments at once.
        ToolError: no `pulumi` to ask for the facts, or no git.
        PublishError, ValuesError: see `infra.delivery.publish`.
    """
    from infra.delivery.git import Remote  # noqa: PLC0415  # `slipway render` needs no git
    from infra.delivery.order import patient  # noqa: PLC0415
    from infra.delivery.publish import publish_all  # noqa: PLC0415

    root = find_root(Path.cwd())
    names = _chosen(root, names)
    tell = patient(progress)
    settings = dict(zip(names, _each(names, lambda name: from_stack_file(stack_file(root, name)), tell), strict=True))
    inputs = _inputs(root, names, facts, tell)
    if behind := [name for name in names if _is_behind(settings[name], inputs[name].facts)]:
        shown = ", ".join(behind[:_NAMED]) + (f" and {len(behind) - _NAMED} more" if len(behind) > _NAMED else "")
        progress(f"note: settings of {shown} are newer than these facts: `pulumi up` brings them, this does not")
    groups: dict[Remote, list[str]] = {}
    for name in names:
        remote = Remote.of(settings[name].gitops, os.environ.get(TOKEN_VARIABLE), root)
        groups.setdefault(remote, []).append(name)
    _refuse_split(groups, settings)
    publications = []
    for remote, group in groups.items():
        chosen = [inputs[name] for name in group]
        published = publish_all(remote, chosen, take_over=take_over, dry_run=dry_run, progress=progress)
        publications.append(Publication(remote=remote, environments=group, published=published))
        if len(groups) > 1:  # should a later one be refused, this one stays
            progress(f"{_place(remote)}: {_done(published, dry_run=dry_run)}")
    return publications


def _place(remote: "Remote") -> str:
    return remote.folder if remote.mode == "files" else f"{remote.shown} {remote.branch}"


def _done(published: "Published", *, dry_run: bool) -> str:
    if dry_run:
        return f"{len(published.changed)} files would change"
    if not published.created:
        return "nothing to change"
    if published.pull_request:
        return f"waits in {published.pull_request}"
    return "committed" if published.commit else "written"


def _chosen(root: Path, names: Sequence[str]) -> Sequence[str]:
    if names:
        return tuple(dict.fromkeys(names))
    if found := known_environments(root):
        return found
    raise SettingsError(
        Problem(where=str(root / "stacks"), what="there is no stack file", fix="`slipway init` makes the first one")
    )


def _inputs(root: Path, names: Sequence[str], source: str | None, tell: Callable[[str], None]) -> dict[str, Inputs]:
    folder = Path(source) if source and source != "-" and Path(source).is_dir() else None
    if source and not folder and len(names) > 1:
        raise SettingsError(
            Problem(
                where=f"--facts {source}",
                what=f"is one environment's facts, and {len(names)} are published",
                fix="give a folder that holds ENV.json for each",
            )
        )

    def facts_of(name: str) -> Facts:
        if source is None:
            return stack_output(root, name)
        return read_facts(str(folder / f"{name}.json") if folder else source, name)

    def one(name: str) -> Inputs:
        return Inputs(facts_of(name).to_json(), read_overrides(root, name), read_inside(root, name))

    at_once = _ASKED_AT_ONCE if source is None else 1
    return dict(zip(names, _each(names, one, tell, at_once=at_once), strict=True))


def _is_behind(settings: Settings, facts: Facts) -> bool:
    """Tell whether the stack file says something that the facts do not carry yet; `slipway diff` shows it already."""
    return not facts.example and renewed(settings, facts) != facts


def _refuse_split(groups: "dict[Remote, list[str]]", settings: dict[str, Settings]) -> None:
    """Stop where environments of one branch are written to it in different ways: it would be several commits."""
    seen: dict[tuple[str, str, str], str] = {}
    for remote, (first, *_) in groups.items():
        place = (remote.repository, remote.branch, remote.folder)
        if place in seen:
            raise SettingsError(
                Problem(
                    where=f"stacks/Pulumi.{first}.yaml gitops",
                    what=f"{first} and {seen[place]} go to one branch of {remote.shown} in different ways "
                    f"({settings[first].gitops.mode}, {settings[seen[place]].gitops.mode})",
                    fix="give both the same mode, api, knownHosts and signingKey, or publish them one by one",
                )
            )
        seen[place] = first


def _each(
    names: Sequence[str], do: Callable[[str], Result], tell: Callable[[str], None], *, at_once: int = 1
) -> list[Result]:
    """Do it for each name; the settings problems of all of them are reported together.

    Raises:
        SettingsError: with every problem.
        ToolError: without the tool none can be done.
    """
    problems: list[Problem] = []
    details: list[str] = []
    results: list[Result] = []
    with ThreadPoolExecutor(at_once) as pool:
        for number, (name, future) in enumerate([(name, pool.submit(do, name)) for name in names], 1):
            try:
                results.append(future.result())
            except SettingsError as error:
                problems += error.problems
                details += [error.detail] if error.detail else []
            except SlipwayError:
                pool.shutdown(cancel_futures=True)
                raise
            tell(f"{name}: read, {number} of {len(names)}")
    if problems:
        raise SettingsError(*problems, detail="\n".join(dict.fromkeys(details)))
    return results
