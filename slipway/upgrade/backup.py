"""What to save before an upgrade, and how one comes back: the exact commands for one environment.

for command in commands(settings, facts, before="1.18.3"):
    command.what, command.command
"""

import shlex
from dataclasses import dataclass

from infra.aws.storage import numbered
from infra.naming import Names, partition
from infra.settings import Settings
from values.facts import AwsFacts, EfsStorage, Facts, S3Storage, VolumeStorage


@dataclass(frozen=True, kw_only=True)
class Command:
    """One thing to do in a shell.

    Attributes:
        what: why.
        command: as it is typed.
    """

    what: str
    command: str


def snapshot_name(settings: Settings, before: str) -> str:
    """Give the snapshot's identifier: it names what is in it, so a second attempt does not hide the first."""
    return f"{_database(settings)}-chart-{before.replace('.', '-')}"


def commands(settings: Settings, facts: Facts, *, before: str) -> tuple[Command, ...]:
    """Give the commands that save database and blobs; none where the chart's own database is used."""
    if not facts.database or not facts.aws or isinstance(facts.storage, VolumeStorage):
        return (Command(what="the chart's own database, as text", command=_dump()),)
    snapshot, region = snapshot_name(settings, before), facts.aws.region
    return (
        Command(
            what="the database; Harbor goes on meanwhile",
            command=_shell(
                "aws rds create-db-snapshot --region", region, "--db-instance-identifier", _database(settings),
                "--db-snapshot-identifier", snapshot,
            ),
        ),
        Command(
            what="until it can be restored from",
            command=_shell("aws rds wait db-snapshot-available --region", region, "--db-snapshot-identifier", snapshot),
        ),
        Command(
            what="the blobs, which the upgrade does not touch: only what is new is copied",
            command=_blobs(settings, facts.aws, facts.storage),
        ),
    )  # fmt: skip


def _database(settings: Settings) -> str:
    restore = settings.restore.database
    return Names(settings.environment).physical(numbered("database", restore.generation if restore else 1))


def _blobs(settings: Settings, aws: AwsFacts, storage: EfsStorage | S3Storage) -> str:
    names = Names(settings.environment)
    start = f"arn:{partition(aws.region)}"
    if isinstance(storage, EfsStorage):
        arn = f"{start}:elasticfilesystem:{aws.region}:{aws.account_id}:file-system/{storage.file_system_id}"
    else:
        arn = f"{start}:s3:::{storage.bucket}"
    return _shell(
        "aws backup start-backup-job --region", aws.region,
        "--backup-vault-name", names.physical("backup", limit=50),
        "--resource-arn", arn,
        "--iam-role-arn", f"{start}:iam::{aws.account_id}:role/{names.physical('backup', limit=64)}",
        # The vault is locked: it takes nothing that has no end.
        "--lifecycle", f"DeleteAfterDays={settings.backup.retention_days}",
    )  # fmt: skip


def _dump() -> str:
    return "kubectl -n harbor exec harbor-database-0 -- pg_dumpall -U postgres > harbor-before-upgrade.sql"


def _shell(command: str, *arguments: str) -> str:
    return " ".join([command, *map(shlex.quote, arguments)])
