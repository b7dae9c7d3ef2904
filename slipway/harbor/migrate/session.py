"""What the commands do: plan, run a wave, check; each reads the source or connects to Harbor, and gives one result.

done = run_plan(environment, source, wishes, folder=…, force=False, tell=…)
"""

import asyncio
import datetime as dt
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from infra.errors import HarborError, MigrationError, Problem, SettingsError, SpecError
from slipway.harbor.administrator import NAME
from slipway.harbor.client import Connection, connect
from slipway.harbor.environment import Environment
from slipway.harbor.migrate import run as running
from slipway.harbor.migrate.check import Checked, check, known_of
from slipway.harbor.migrate.fragment import PASSWORD, USERNAME
from slipway.harbor.migrate.make import check_place, plan_of, texts_of, write
from slipway.harbor.migrate.model import ECR, Migration, Origin, Wave
from slipway.harbor.migrate.names import chosen
from slipway.harbor.migrate.sources import Source, Tell
from slipway.harbor.migrate.target import There, look
from slipway.harbor.migrate.wishes import Wishes


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan, where it was written, and what to know of it."""

    migration: Migration
    files: Sequence[Path]
    warnings: Sequence[str]


# --- sources


def ecr(*, region: str | None, account: str | None) -> Source:
    """Give ECR as a source."""
    from slipway.harbor.migrate.sources.ecr import EcrSource  # noqa: PLC0415  # boto3, a third of a second

    return EcrSource(region=region, account=account)


def other_harbor(url: str, *, ca_file: Path | None) -> Source:
    """Give another Harbor as a source; who reads it stands in the environment's variables.

    Raises:
        MigrationError: no password, or an address that is none.
    """
    from slipway.harbor.migrate.sources.harbor import HarborSource  # noqa: PLC0415

    secret = os.environ.get(PASSWORD)
    if not secret:
        fix = f"set {PASSWORD}, and {USERNAME} where it is not admin: who may read all that is to come over"
        raise MigrationError(Problem(where=url, what="who logs in at the source?", fix=fix))
    try:
        return HarborSource(Connection(url=url, name=source_username(), secret=SecretStr(secret), ca_file=ca_file))
    except SettingsError as error:
        raise MigrationError(*error.problems) from None


def source_username() -> str:
    """Tell who reads another Harbor."""
    return os.environ.get(USERNAME) or NAME


def source_of(origin: Origin) -> Source:
    """Give the source of a plan again."""
    if origin.kind == ECR:
        return ecr(region=origin.region, account=origin.account)
    return other_harbor(origin.url, ca_file=Path(origin.ca_file) if origin.ca_file else None)


# --- plan


def run_plan(
    environment: Environment, source: Source, wishes: Wishes, *, folder: Path, force: bool, tell: Tell
) -> Planned:
    """Read source and target, and write the files.

    Raises:
        MigrationError, SpecError: with everything that stands in the way; nothing is written then.
    """
    others = check_place(folder, force=force)

    def wanted(names: Collection[str]) -> Collection[str]:
        return chosen(names, wishes.include, wishes.exclude)

    found = source.read(tell, wanted=wanted)
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    migration, warnings = plan_of(found, wishes, made=made)
    there, missed = _look(environment, sorted({move.target.project for move in migration.moves}))
    texts, more = texts_of(migration, wishes, there=there, others=others)
    return Planned(migration=migration, files=write(folder, texts), warnings=[*warnings, *missed, *more])


def _look(environment: Environment, projects: Sequence[str]) -> tuple[Mapping[str, There], Sequence[str]]:
    """Look at the target; a plan can be made before there is one, so that it cannot be read is only told."""

    async def act() -> Mapping[str, There]:
        async with connect(environment.connection()) as harbor:
            return await look(harbor, projects)

    try:
        return asyncio.run(act()), ()
    except (HarborError, SpecError) as error:
        reason = error.problems[0].what if error.problems else str(error)
        text = f"{environment.url} was not looked at, so quotas of projects that are there are not known: {reason}"
        return {}, [text]


# --- run and check


def wave_of(migration: Migration, number: int) -> Wave:
    """Give a wave.

    Raises:
        MigrationError: there is no such one.
    """
    for wave in migration.waves:
        if wave.number == number:
            return wave
    what = f"there is no wave {number}"
    raise MigrationError(Problem(where="--wave", what=what, fix=f"the plan has waves 1 to {len(migration.waves)}"))


def run_wave(
    environment: Environment, migration: Migration, wave: Wave, *, again: bool, tell: running.Tell, pause: float
) -> Sequence[running.Ran]:
    """Start a wave and follow it to its end."""

    async def act() -> Sequence[running.Ran]:
        async with connect(environment.connection()) as harbor:
            return await running.run_wave(harbor, migration, wave, again=again, tell=tell, pause=pause)

    return asyncio.run(act())


def run_check(environment: Environment, migration: Migration, number: int | None, *, tell: Tell) -> Checked:
    """Read the source again, and the target, and compare."""
    if number is not None:
        wave_of(migration, number)
    moves = list(known_of(migration, number))
    planned, wanted = {move.source.name for move in migration.moves}, {move.source.name for _, move in moves}
    new: list[str] = []

    def again(names: Collection[str]) -> Collection[str]:
        if number is None:
            new.extend(set(chosen(names, (), ())) - planned)
        return [name for name in names if name in wanted]

    found = source_of(migration.origin).read(tell, wanted=again)
    fresh = sorted(each for each in new if _like(each, migration))

    async def act() -> Checked:
        async with connect(environment.connection()) as harbor:
            now = {each.name: each.references for each in found.repositories}
            return await check(harbor, moves, now, new=fresh)

    return asyncio.run(act())


def _like(name: str, migration: Migration) -> bool:
    try:
        return bool(chosen([name], migration.include, migration.exclude))
    except MigrationError:
        return False
