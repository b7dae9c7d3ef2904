"""Fill one of the templates: jinja2, set up once, with what all of them may use.

fill("flux/source.yaml.j2", {"facts": facts, "namespace": "harbor"})
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from values import contract

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


def fill(template: str, context: Mapping[str, Any]) -> str:
    """Give a template's text; a name that the context lacks is an error."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> "Environment":
    # 40 ms that `--help` does not need.
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    # Compiled templates stand beside their sources, as Python's own do; jinja holds them against the source's hash.
    compiled = FOLDER / "templates" / "__pycache__"
    if os.access(FOLDER / "templates", os.W_OK):
        compiled.mkdir(exist_ok=True)
    writable = os.access(compiled, os.W_OK)

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # YAML, not HTML: every value goes through `yaml`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if writable else None,
    )
    environment.filters["prepend"] = lambda text, before: before + text
    # JSON is YAML, and quotes whatever needs it.
    environment.filters["yaml"] = lambda value: json.dumps(value, ensure_ascii=False)
    # jinja annotates only its own globals.
    environment.globals.update(chart_has=contract.has)  # ty: ignore[invalid-argument-type]
    return environment
