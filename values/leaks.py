"""What looks like a secret in a values document that is going into Git; the value itself is never shown.

leaks(("core", "podAnnotations", "token"), "ghp_…")   # "holds what looks like a GitHub token"
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

#: What each is called, and how it is recognised. A URL with an empty password is the contract's (`values.contract`).
_MARKS: Mapping[str, re.Pattern[str]] = {
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----"),
    "a password's hash": re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"),
    "a URL with a password": re.compile(r"://[^\s/@:]*:[^\s/@]+@"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
    "a GitLab token": re.compile(r"\bglpat-[\w-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abprs]-[\w-]{10,}"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\."),
}
#: Environment variables by whose name a literal value is a secret.
_SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL)S?$", re.IGNORECASE
)
#: Random text: no separators, both cases and digits. Digests are one case, and names have few digits.
_RANDOM = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{28,}={0,2}(?![A-Za-z0-9+/=_-])")
#: Share of the entropy that random characters would have.
_RANDOM_ENOUGH = 0.86


def leaks(key: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any YAML value
    """Give each place at or below `key` that looks like a secret: dotted key, and what it looks like."""
    if isinstance(value, Mapping):
        # Kubernetes' env entries: the name says what the value is.
        named, given = value.get("name"), value.get("value")
        if isinstance(named, str) and isinstance(given, str) and given and _SECRET_NAME.search(named):
            yield f"{key}.{named}", "a secret, by its name"
            return
        for name, item in value.items():
            yield from leaks(f"{key}.{name}" if key else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaks(f"{key}.{index}", item)
    elif isinstance(value, str) and (what := _looks_like(value)):
        yield key, what


def _looks_like(text: str) -> str:
    named = next((what for what, mark in _MARKS.items() if mark.search(text)), "")
    return named or ("random text, as keys and tokens are" if any(map(_is_random, _RANDOM.findall(text))) else "")


def _is_random(text: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(sum(map(kind, text)) >= 3 for kind in kinds):
        return False
    entropy = -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
    return entropy >= _RANDOM_ENOUGH * math.log2(min(len(text), 62))
