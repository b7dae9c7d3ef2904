"""The plan as a file: what `run` starts, and what `check` holds the target against.

data = as_data(migration)
migration = from_data(json.loads(text), where="stacks/prod/harbor/migration.json")
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.errors import MigrationError, Problem
from slipway.harbor.migrate.model import Migration, Move, Origin, Repository, Rule, Target, Wave

VERSION = 1
PLAN = "migration.json"


def as_data(migration: Migration) -> Mapping[str, Any]:
    """Give what the file holds; sizes and counts stand in it for people and other programs too."""
    return {
        "version": VERSION,
        "environment": migration.environment,
        "source": asdict(migration.origin),
        "registry": migration.registry,
        "made": migration.made,
        "bandwidth": migration.bandwidth,
        "include": list(migration.include),
        "exclude": list(migration.exclude),
        "assumptions": list(migration.assumptions),
        "waves": [_wave(wave, migration) for wave in migration.waves],
    }


def _wave(wave: Wave, migration: Migration) -> Mapping[str, Any]:
    return {
        "number": wave.number,
        "repositories": len(wave.moves),
        "artifacts": wave.artifacts,
        "bytes": wave.bytes,
        "hours": round(migration.hours(wave.bytes), 2),
        "projects": list(wave.projects),
        "rules": [asdict(rule) for rule in wave.rules],
        "moves": [
            {
                "source": move.source.name,
                "target": asdict(move.target),
                "bytes": move.bytes,
                "untagged": move.source.untagged,
                "attached": move.source.attached,
                "immutable": move.source.immutable,
                "references": dict(sorted(move.source.references.items())),
            }
            for move in wave.moves
        ],
    }


def read_plan(path: Path) -> Migration:
    """Read a plan file.

    Raises:
        MigrationError: there is none, or it is none.
    """
    fix = "make one: slipway harbor migrate plan; or name it with --plan"
    try:
        return from_data(json.loads(path.read_text()), where=str(path))
    except OSError as error:
        raise MigrationError(Problem(where=str(path), what=f"cannot be read: {error.strerror}", fix=fix)) from None
    except ValueError:
        raise MigrationError(Problem(where=str(path), what="is no plan of a migration", fix=fix)) from None


def from_data(data: Any, *, where: str) -> Migration:  # noqa: ANN401  # JSON
    """Give the plan that a file holds.

    Raises:
        MigrationError: it is another version's.
        ValueError: it is no plan.
    """
    try:
        if data["version"] != VERSION:
            what = f"is of version {data['version']}, and this Slipway knows {VERSION}"
            raise MigrationError(Problem(where=where, what=what, fix="make it again: slipway harbor migrate plan"))
        return Migration(
            environment=data["environment"],
            origin=Origin(**data["source"]),
            registry=data["registry"],
            made=data["made"],
            bandwidth=data["bandwidth"],
            assumptions=tuple(data["assumptions"]),
            include=tuple(data["include"]),
            exclude=tuple(data["exclude"]),
            waves=[_read_wave(each) for each in data["waves"]],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def _read_wave(data: Mapping[str, Any]) -> Wave:
    moves = [
        Move(
            source=Repository(
                name=each["source"],
                references=each["references"],
                bytes=each["bytes"],
                untagged=each["untagged"],
                attached=each["attached"],
                immutable=each["immutable"],
            ),
            target=Target(**each["target"]),
        )
        for each in data["moves"]
    ]
    return Wave(number=data["number"], moves=moves, rules=[Rule(**each) for each in data["rules"]])
