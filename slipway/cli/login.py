"""How a command line is told to log in to a registry: the options that commands share, and the password."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import SecretStr

PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
CaFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Certificates to trust besides the system's (PEM).")]
AllowHttp = Annotated[bool, typer.Option("--allow-http", help="Send the password in clear text to another machine.")]


def password(*, stdin: bool) -> "SecretStr | None":
    """Give what stands on standard input or in the environment; None where nothing does.

    Raises:
        BadParameter: standard input was to give one, and does not.
    """
    from pydantic import SecretStr

    from slipway.harbor.administrator import VARIABLE

    text = sys.stdin.readline().rstrip("\r\n") if stdin else os.environ.get(VARIABLE, "")
    if stdin and not text:
        raise typer.BadParameter("standard input is empty", param_hint="--password-stdin")
    return SecretStr(text) if text else None
