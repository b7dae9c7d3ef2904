"""From a kit to its snippets, and to files.

for snippet in render(kit, only=["github"]): …
"""

import functools
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.errors import Problem, SettingsError
from infra.layers import did_you_mean
from slipway.login_kit.kit import TO_FILL, Kit

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """One thing to paste.

    Attributes:
        file: where it goes below a folder, ``github/oidc.yml``; the first part is its group.
        needs: what a kit must have for it to make sense.
        text: complete but for what is in `fill`.
        fill: words in it that a person must replace.
    """

    file: str
    title: str
    needs: tuple[str, ...] = ()
    text: str = ""
    fill: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """What belongs together."""
        return self.file.partition("/")[0]

    @property
    def mode(self) -> int:
        """Permissions of its file."""
        if "password" in self.needs:
            return 0o600
        return 0o755 if self.file.endswith(".sh") else 0o644


@functools.cache
def catalogue() -> tuple[Snippet, ...]:
    """Give every snippet there is, without its text."""
    listed = yaml.safe_load((_HERE / "catalogue.yaml").read_text())
    return tuple(Snippet(file=one["file"], title=one["title"], needs=tuple(one.get("needs", ()))) for one in listed)


def refuse_unknown(only: Sequence[str]) -> None:
    """Refuse names of snippets that do not exist.

    Raises:
        SettingsError: with all of them.
    """
    known = {snippet.file for snippet in catalogue()} | {snippet.group for snippet in catalogue()}
    groups = ", ".join(dict.fromkeys(snippet.group for snippet in catalogue()))
    problems = [
        Problem(
            where="--only", what=f"there is no snippet {name!r}{did_you_mean(name, known)}", fix=f"groups: {groups}"
        )
        for name in only
        if name not in known
    ]
    if problems:
        raise SettingsError(*problems)


def select(kit: Kit, only: Sequence[str] = ()) -> tuple[Snippet, ...]:
    """Give the snippets that make sense, of the named ones or of all; still without their text.

    Args:
        kit: what there is.
        only: groups (``github``) or files (``github/oidc.yml``).

    Raises:
        SettingsError: one is not known, or not to be had with this kit.
    """
    refuse_unknown(only)
    chosen = [one for one in catalogue() if not only or one.file in only or one.group in only]
    given = tuple(one for one in chosen if kit.has.issuperset(one.needs))
    if not given:
        lacking = sorted({need for one in chosen for need in one.needs} - kit.has)
        what = f"{', '.join(only)}: needs {' and '.join(_NEEDS[need][0] for need in lacking)}"
        fix = ", ".join(_NEEDS[need][1] for need in lacking)
        raise SettingsError(Problem(where="--only", what=what, fix=fix))
    return given


def render(kit: Kit, only: Sequence[str] = ()) -> tuple[Snippet, ...]:
    """Give the snippets with their text.

    Raises:
        SettingsError: see `select`.
    """
    words = kit.words()
    return tuple(_filled(snippet, words) for snippet in select(kit, only))


def _filled(snippet: Snippet, words: dict[str, object]) -> Snippet:
    text = _templates().get_template(snippet.file).render(words).rstrip("\n") + "\n"
    fill = tuple(word for word in TO_FILL if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text))
    return replace(snippet, text=text, fill=fill)


@functools.cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "snippets"),
        # The usual marks are GitHub's, Go's and Helm's too; these are nobody's.
        variable_start_string="{=",
        variable_end_string="=}",
        comment_start_string="{=#",
        comment_end_string="#=}",
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # no HTML: every value goes through the filter of its format
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.filters["yaml"] = environment.filters["json"]  # JSON is YAML, and quotes whatever needs it
    environment.filters["sh"] = shlex.quote
    environment.filters["groovy"] = lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return environment


#: What a kit lacks, and how it gets it.
_NEEDS = {
    "aws": ("a secret in Secrets Manager", "name an environment, or give --secret-to aws:NAME"),
    "push": ("a robot that may push", "give --preset push or ci"),
    "cache": ("a project that is a proxy cache", "name it as well"),
    "password": ("the secret", "give --show-secret"),
}


def write(snippets: Sequence[Snippet], folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write the snippets to files: all of them, or none where one would replace something else.

    Raises:
        SettingsError: a file of another content is there, or the folder cannot be.
    """
    wanted = {folder / snippet.file: snippet for snippet in snippets}
    problems = [
        Problem(where=str(path), what="is there, and is not what would be written", fix="look at it; --overwrite")
        for path, snippet in wanted.items()
        if path.exists() and not overwrite and not (path.is_file() and path.read_bytes() == snippet.text.encode())
    ]
    if folder.exists() and not folder.is_dir():
        problems = [Problem(where=str(folder), what="is a file", fix="name a folder")]
    if problems:
        raise SettingsError(*problems)
    for path, snippet in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=snippet.mode)
        path.chmod(snippet.mode)
        path.write_text(snippet.text)
    return list(wanted)
