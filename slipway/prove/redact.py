"""Take secrets out of what programs say, before any of it is written down.

clean = Clean(os.environ)
clean("error: https://git:ghp_abc@git.example.com")     # error: https://***@git.example.com
"""

import re
from collections.abc import Mapping
from pathlib import Path

#: Variables whose values are secrets, by a part of their names; a path to a secret is none.
_SECRET_NAME = re.compile(
    r"TOKEN|PASSWORD|PASSPHRASE|SECRET|CREDENTIAL|PRIVATE|ACCESS_KEY|API_?KEY|_PAT$", re.IGNORECASE
)
_NO_SECRET = re.compile(r"_(FILE|PATH|URL|DIR)$", re.IGNORECASE)
_SHORTEST = 6
_HIDDEN = "***"
_PATTERNS = (
    (re.compile(r"//[^/@\s\"']+@"), f"//{_HIDDEN}@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), _HIDDEN),
    (re.compile(r"\b(?:gh[oprsu]_|github_pat_|glpat-|pul-|xox[a-z]-)[\w-]{8,}"), _HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), _HIDDEN),  # JWT
    (re.compile(r"\b(Bearer|Basic) +[\w.~+/-]{6,}=*", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"([?&](?:X-Amz-\w+|token|sig|signature)=)[^&\s\"']+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    (
        re.compile(
            r"(\b[\w-]*(?:password|passwd|passphrase|secret|token)[\"']? *[:=] *[\"']?)[^\s\"',;}]{6,}", re.IGNORECASE
        ),
        rf"\1{_HIDDEN}",
    ),
)  # fmt: skip
_ACCOUNT = re.compile(r"(?<![\w.-])\d{12}(?![\w-]|\.\d)")
_BEGIN, _END = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


class Clean:
    """Cleans line by line; one for each stream, since a key goes over many lines."""

    def __init__(self, environment: Mapping[str, str], *, accounts: bool = False) -> None:
        """Remember what must not show.

        Args:
            environment: variables; the values of those that are named like secrets go.
            accounts: leave ids of AWS accounts as they are.
        """
        values = {
            value
            for name, value in environment.items()
            if _SECRET_NAME.search(name) and not _NO_SECRET.search(name) and len(value) >= _SHORTEST
        }
        self._values = sorted(values, key=len, reverse=True)  # one may be a part of another
        self._accounts = accounts
        self._in_key = False

    def __call__(self, line: str) -> str:
        """Give a line without secrets."""
        if self._in_key:
            self._in_key = not _END.search(line)
            return _HIDDEN
        if begin := _BEGIN.search(line):
            before = self(line[: begin.start()])
            self._in_key = not _END.search(line)
            return f"{before}{_HIDDEN}"
        for value in self._values:
            line = line.replace(value, _HIDDEN)
        for pattern, shown in _PATTERNS:
            line = pattern.sub(shown, line)
        if not self._accounts:
            line = _ACCOUNT.sub("<account>", line)
        return line.replace(f"{Path.home()}/", "~/") if Path.home() != Path("/") else line
