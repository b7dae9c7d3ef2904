"""The command line: one file per command, and the only place that prints.

Every import at the top of these files is paid by `slipway --help`; what is heavy is imported inside the command.
"""

import errno
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from infra.errors import SlipwayError
from slipway.cli import (
    console,
    harbor,
    harbor_export,
    harbor_migrate,
    harbor_robots,
    harbor_runner,
    kind,
    rehearse,
    tools,
)
from slipway.cli.bootstrap import bootstrap
from slipway.cli.check import check
from slipway.cli.diagram import diagram
from slipway.cli.diff import diff
from slipway.cli.doctor import doctor
from slipway.cli.explain import explain
from slipway.cli.forecast import forecast
from slipway.cli.images import images
from slipway.cli.init import init
from slipway.cli.login_kit import login_kit
from slipway.cli.prove import prove
from slipway.cli.publish import publish
from slipway.cli.render import render
from slipway.cli.schema import schema
from slipway.cli.status import status
from slipway.cli.teardown import teardown
from slipway.cli.upgrade import upgrade
from slipway.cli.verify import verify
from values.errors import ValuesError

#: What writing to a full disk gives, with no name of a file.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

#: Commands that end with 2 where there are differences, so that a wrong option must not.
_TELLS_DIFFERENCES = ("diff", "harbor")


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> object:  # noqa: ANN401  # Typer's context is private
        try:
            return super().invoke(ctx)
        except TyperException as error:  # wrong usage; what a command itself ends with is none of these
            if ctx.invoked_subcommand in _TELLS_DIFFERENCES:
                error.exit_code = 1
            raise


app = typer.Typer(
    name="slipway",
    cls=_Commands,
    help="From an empty AWS account to a Harbor registry that serves docker push.",
    epilog="Start with: slipway rehearse dev",
    no_args_is_help=True,
    # Rich's markup doubles the start-up time of --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    directory: Annotated[
        Path | None, typer.Option("--directory", "-C", help="The clone of Slipway to work in.", metavar="DIR")
    ] = None,
) -> None:
    """From an empty AWS account to a Harbor registry that serves docker push."""
    if directory:
        try:
            os.chdir(directory)
        except OSError as error:
            raise typer.BadParameter(f"{directory}: {error.strerror}", param_hint="-C") from None


for command in (
    init, bootstrap, schema, explain, render, diff, images, publish, status, verify, upgrade,
    check, doctor, forecast, diagram, login_kit, teardown, prove,
):  # fmt: skip
    app.command()(command)
harbor_robots.add_to(harbor.app)
harbor_export.add_to(harbor.app)
harbor_runner.add_to(harbor.app)
harbor.app.add_typer(harbor_migrate.app, name="migrate")
app.add_typer(harbor.app, name="harbor")
app.add_typer(rehearse.app, name="rehearse")
app.add_typer(kind.app, name="kind")
app.add_typer(tools.app, name="tools")


def main() -> None:
    """Run the command; a mistake of the user's ends with its message and exit code, never with a traceback."""
    # Most commands are over before anything is worth collecting; looking for it costs a tenth of the start-up.
    gc.disable()
    # What a CI job is cancelled with ends it as Ctrl-C does: git goes with it, and no scratch folder stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code: 2 for bad usage or settings, 130 after Ctrl-C."""
    try:
        app(arguments, prog_name="slipway")
    except (SlipwayError, ValuesError) as error:
        console.failure(error)
        return error.exit_code
    except OSError as error:
        if not error.filename and error.errno not in _NO_ROOM:
            raise
        # A folder that cannot be written to, a full disk: nothing that a traceback would explain better.
        console.failure(f"{error.filename or 'the output'}: {error.strerror}")
        return 1
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
