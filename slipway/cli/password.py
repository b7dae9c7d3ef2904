"""The password of a registry's user, as a command line takes it."""

import os
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pydantic import SecretStr


def given(*, stdin: bool) -> "SecretStr | None":
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
