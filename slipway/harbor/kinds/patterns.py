"""Which repositories and tags a rule is for: our four keys, and Harbor's selectors.

repositories, tags = selectors({"repo_matching": "**", "tag_excluding": "dev-*"})
"""

from collections.abc import Mapping
from typing import Any

from slipway.harbor.client.models import Rule, Selector

#: Our key → the list that it is in, and Harbor's word.
_REPOSITORIES = {"repo_matching": "repoMatches", "repo_excluding": "repoExcludes"}
_TAGS = {"tag_matching": "matches", "tag_excluding": "excludes"}

#: What each key is where a file says nothing; the excluding ones are never left out.
USUAL: Mapping[str, Any] = {
    "repo_matching": "**",
    "repo_excluding": None,
    "tag_matching": "**",
    "tag_excluding": None,
    "disabled": False,
}


def selectors(patterns: Mapping[str, Any]) -> tuple[Selector, Selector]:
    """Give Harbor's selector for repositories, and the one for tags."""
    repositories, tags = (
        next(Selector(decoration=word, pattern=patterns[key]) for key, word in words.items() if patterns.get(key))
        for words in (_REPOSITORIES, _TAGS)
    )
    return repositories, tags


def of_rule(rule: Rule) -> dict[str, Any] | None:
    """Give the keys of a rule, and whether it sleeps; None if they cannot say what it does."""
    repositories = rule.scope_selectors.get("repository", [])
    found: dict[str, Any] = {}
    for several, words in ((repositories, _REPOSITORIES), (rule.tag_selectors, _TAGS)):
        key = next((key for key, word in words.items() if len(several) == 1 and several[0].decoration == word), None)
        if key is None or several[0].kind != "doublestar":
            return None
        found[key] = several[0].pattern
    return {**found, "disabled": bool(rule.disabled)} if set(rule.scope_selectors) <= {"repository"} else None
