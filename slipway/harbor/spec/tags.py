"""Rules about tags: what is kept (retention), and what nobody can overwrite (immutability).

retention_policy: {schedule: Daily, rules: [{most_recently_pushed: 20, tag_matching: "v*"}]}
immutable_tag_rules: [{tag_matching: "v*"}]
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from slipway.harbor.spec.base import Spec, Text
from slipway.harbor.spec.times import Times

#: What a rule of retention may keep by; of each rule exactly one.
CRITERIA = (
    "most_recently_pushed",
    "most_recently_pulled",
    "n_days_since_last_push",
    "n_days_since_last_pull",
    "always_retain",
)
_Count = Annotated[int, Field(ge=1, le=2_147_483_647)]
_MOST_RULES = 15


class Matching(Spec):
    """Which repositories and tags; of all where nothing is said. Patterns: `*`, `**` over slashes, `{a,b}`."""

    repo_matching: Text | None = None
    repo_excluding: Text | None = None
    tag_matching: Text | None = None
    tag_excluding: Text | None = None
    disabled: bool = False

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for name in ("repo", "tag"):
            if getattr(self, f"{name}_matching") and getattr(self, f"{name}_excluding"):
                raise ValueError(f"{name}_matching and {name}_excluding stand in one rule; write two rules")
        return self

    def patterns(self) -> dict[str, Any]:
        """Give one pattern for repositories and one for tags, and whether the rule sleeps."""
        repo = {"repo_excluding": self.repo_excluding} if self.repo_excluding else {}
        tag = {"tag_excluding": self.tag_excluding} if self.tag_excluding else {}
        repo = repo or {"repo_matching": self.repo_matching or "**"}
        tag = tag or {"tag_matching": self.tag_matching or "**"}
        return {**repo, **tag, "disabled": self.disabled}


class ImmutableRuleSpec(Matching):
    """Tags that nobody can push again or delete."""


class RetentionRuleSpec(Matching):
    """What to keep; an artifact that any rule keeps is kept."""

    most_recently_pushed: _Count | None = Field(default=None, description="Keep so many, by the time of the push.")
    most_recently_pulled: _Count | None = Field(default=None, description="Keep so many, by the time of the pull.")
    n_days_since_last_push: _Count | None = Field(default=None, description="Keep what was pushed in so many days.")
    n_days_since_last_pull: _Count | None = Field(default=None, description="Keep what was pulled in so many days.")
    always_retain: Literal[True] | None = Field(default=None, description="Keep all that the patterns match.")
    untagged_artifacts: bool = Field(default=True, description="Artifacts without a tag count as well.")

    @model_validator(mode="after")
    def _one_criterion(self) -> Self:
        given = [name for name in CRITERIA if getattr(self, name) is not None]
        if len(given) != 1:
            said = " and ".join(given) if given else "none"
            raise ValueError(f"a rule keeps by exactly one of {', '.join(CRITERIA)}; here stands {said}")
        return self

    def plain(self) -> dict[str, Any]:
        """Give the rule with nothing left open."""
        name = next(name for name in CRITERIA if getattr(self, name) is not None)
        return {name: getattr(self, name), **self.patterns(), "untagged_artifacts": self.untagged_artifacts}


class RetentionSpec(Spec):
    """What is kept when retention runs; all else is deleted."""

    schedule: Times | None = Field(default=None, description="Hourly, Daily, Weekly, cron of six fields, '' for never.")
    rules: list[RetentionRuleSpec] | None = None

    @model_validator(mode="after")
    def _as_harbor_takes_them(self) -> Self:
        rules = [each.plain() for each in self.rules or ()]
        if len(rules) > _MOST_RULES:
            raise ValueError(f"{len(rules)} rules, and Harbor takes at most {_MOST_RULES}")
        if twice := next((each for number, each in enumerate(rules) if each in rules[:number]), None):
            raise ValueError(f"one rule stands here twice: {twice}")
        return self


def refuse_same_rule(rules: list[ImmutableRuleSpec] | None) -> None:
    """Refuse rules of one pattern; whether they are disabled makes no other rule of them.

    Raises:
        ValueError: naming the pattern.
    """
    seen: list[dict[str, Any]] = []
    for each in rules or ():
        pattern = each.patterns() | {"disabled": False}
        if pattern in seen:
            raise ValueError(f"two immutable_tag_rules for one pattern: {pattern}")
        seen.append(pattern)
