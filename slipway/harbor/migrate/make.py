"""From what a source showed to a plan and its files: pure but for the files of the environment that it fits into.

migration, warnings = plan_of(found, wishes, made="2026-11-25T14:00:00+00:00")
texts, more = texts_of(migration, wishes, there={}, others=[])
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import MigrationError, Problem
from slipway.harbor.migrate.fragment import PROJECTS, RULES, fragments
from slipway.harbor.migrate.model import ECR, Found, Migration, Move, Origin
from slipway.harbor.migrate.names import targets
from slipway.harbor.migrate.plan_file import PLAN, as_data
from slipway.harbor.migrate.rules import with_rules
from slipway.harbor.migrate.target import There, needs
from slipway.harbor.migrate.units import size
from slipway.harbor.migrate.waves import in_waves
from slipway.harbor.migrate.wishes import Wishes
from slipway.harbor.plan import Wanted
from slipway.harbor.spec import HarborSpec, load


def plan_of(found: Found, wishes: Wishes, *, made: str) -> tuple[Migration, Sequence[str]]:
    """Give the plan, and what to know of it.

    Raises:
        MigrationError: with every name that cannot be; or nothing is to be copied.
    """
    full = [each for each in found.repositories if each.references]
    warnings = list(found.notes)
    if empty := len(found.repositories) - len(full):
        warnings.append(f"repositories with nothing that Harbor copies, left out: {empty}")
    if not full:
        fix = "look into it: every repository is empty, or has images without a tag only"
        raise MigrationError(Problem(where=str(found.origin), what="there is nothing to copy", fix=fix))
    goals = targets([each.name for each in full], wishes.naming)
    moves = [Move(source=each, target=goals[each.name]) for each in full]
    waves, more = in_waves(moves, wishes.limit, first=wishes.first)
    migration = Migration(
        environment=wishes.environment,
        origin=found.origin,
        made=made,
        bandwidth=wishes.bandwidth,
        registry=registry_name(found.origin),
        waves=with_rules(waves),
        assumptions=assumptions(found.origin, wishes.bandwidth),
        include=wishes.include,
        exclude=wishes.exclude,
    )
    return migration, [*warnings, *more]


def registry_name(origin: Origin) -> str:
    """Name the source among Harbor's registries; 64 characters are the most that it takes."""
    if origin.kind == ECR:
        return f"migrate-ecr-{origin.account}-{origin.region}"
    return f"migrate-{urlsplit(origin.url).netloc.replace(':', '-')}"[:64].rstrip("-.")


def assumptions(origin: Origin, bandwidth: int) -> Sequence[str]:
    """Say what the figures stand on."""
    shared = (
        "layers that images share are counted for each of them and copied once, so sizes and times are upper bounds"
    )
    ecr = (
        "ECR tells compressed sizes by image; of a multi-platform image all images without a tag beside it are counted"
    )
    return (
        *([ecr] if origin.kind == ECR else []),
        shared,
        f"{size(bandwidth)}/s all the time, for all of Harbor's copy jobs together (ten at a time by default)",
    )


def texts_of(
    migration: Migration, wishes: Wishes, *, there: Mapping[str, There], others: Sequence[Path]
) -> tuple[Mapping[str, str], Sequence[str]]:
    """Give the files by name, and warnings; all files of the environment together were loaded to see that they fit.

    Args:
        there: projects of the target, as far as it was looked at.
        others: YAML files of the environment beside these.

    Raises:
        MigrationError, SpecError: with everything that does not fit.
    """
    declared = _declared(load(others)) if others else {}
    sizes: dict[str, int] = {}
    for move in migration.moves:
        sizes[move.target.project] = sizes.get(move.target.project, 0) + move.bytes
    wanted, warnings = needs(sizes, there, declared, wishes.headroom)
    texts = dict(fragments(migration, wanted, credentials=wishes.credentials))
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in texts.items():
            path = Path(folder) / name
            path.write_text(text)
            paths.append(path)
        Wanted.of(load([*others, *paths]))
    return texts | {PLAN: json.dumps(as_data(migration), indent=1) + "\n"}, warnings


def _declared(spec: HarborSpec) -> Mapping[str, int | None]:
    return {
        name: (-1 if project.storage_quota is None else project.storage_quota) if project.has("storage_quota") else None
        for name, project in spec.all_projects.items()
    }


# --- files


def check_place(folder: Path, *, force: bool) -> Sequence[Path]:
    """Give the other YAML files of the folder.

    Raises:
        MigrationError: something of ours is there already, or the environment's one file would no longer count.
    """
    problems = []
    if not force:
        taken = [folder / name for name in (PROJECTS, RULES, PLAN) if (folder / name).exists()]
        fix = "--force writes over it, another folder is named with --out"
        problems = [Problem(where=str(path), what="is there already", fix=fix) for path in taken]
    ours = {PROJECTS, RULES}
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    others = [path for path in found if path.suffix in {".yaml", ".yml"} and path.name not in ours]
    single = folder.with_suffix(".yaml")
    if folder.name == "harbor" and single.exists() and not others:
        fix = (
            f"mkdir -p {folder} && mv {single} {folder}/ (and harbor.ledger.json, where it is beside it); or give --out"
        )
        what = f"would no longer count once there is something in {folder}"
        problems.append(Problem(where=str(single), what=what, fix=fix))
    if problems:
        raise MigrationError(*problems)
    return others


def write(folder: Path, texts: Mapping[str, str]) -> Sequence[Path]:
    """Write all files or, as far as a disk allows, none: beside their places first."""
    folder.mkdir(parents=True, exist_ok=True)
    drafts = []
    try:
        for name, text in texts.items():
            draft = folder / f".{name}.new"
            drafts.append((draft, folder / name))
            draft.write_text(text)
        for draft, path in drafts:
            draft.replace(path)
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)
    if PROJECTS not in texts:
        (folder / PROJECTS).unlink(missing_ok=True)  # of an older plan: by now other files declare all of them
    return [path for _, path in drafts]
