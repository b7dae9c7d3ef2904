"""The command line: one file per command, and the only place that prints.

Every import at the top of these files is paid by `slipway --help`; what is heavy is imported inside the command.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import click
import typer
from values.errors import ValuesError

from infra.errors import SlipwayError
from slipway.cli import console
from slipway.cli.init import init
from slipway.cli.publish import publish
from slipway.cli.rehearse import rehearse
from slipway.cli.render import render
from slipway.cli.schema import schema

#: What a shell reports for a program that Ctrl-C ended.
INTERRUPTED = 130

app = typer.Typer(
    name="slipway",
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


for command in (init, schema, render, publish, rehearse):
    app.command()(command)


def main() -> None:
    """Run the command; a mistake of the user's ends with its message and exit code, never with a traceback."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code."""
    try:
        return app(arguments, prog_name="slipway", standalone_mode=False) or 0
    except (SlipwayError, ValuesError) as error:
        console.failure(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
