"""A team's exceptions: ``stacks/<environment>/waivers.yaml``, a list of rule, resource, reason and until when.

- {rule: eks-public-endpoint-narrow, resource: cluster, reason: "office network, no VPN yet", until: 2027-01-31}
"""

import difflib
from collections.abc import Collection
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from infra import tables
from infra.errors import Problem, SettingsError

FILE = "stacks/{environment}/waivers.yaml"


class Waiver(BaseModel):
    """One exception.

    Attributes:
        rule: id of the rule.
        resource: logical name of the resource, or a pattern with ``*``.
        reason: why, for whoever reads it in a year.
        until: its last day; afterwards the violation is one again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    resource: str
    reason: str = Field(min_length=10)
    until: date

    def fits(self, rule: str, subject: str) -> bool:
        """Tell whether it is about this rule and this subject (``type::logical name``)."""
        return self.rule == rule and fnmatchcase(subject.rpartition("::")[2], self.resource)


def waivers_of(root: Path, environment: str, rules: Collection[str]) -> list[Waiver]:
    """Give an environment's waivers; none without the file.

    Raises:
        SettingsError: with every problem of the file.
    """
    where = FILE.format(environment=environment)
    path = root / where
    if not path.exists():
        return []
    try:
        found = TypeAdapter(list[Waiver]).validate_python(tables.parse_yaml(path.read_text()) or [])
    except yaml.YAMLError as error:
        raise SettingsError(Problem(where=where, what=f"is no YAML: {error}", fix="see docs/policy.md")) from None
    except ValidationError as error:
        raise SettingsError(
            *(
                Problem(
                    where=f"{where}: {'.'.join(map(str, one['loc']))}",
                    what=f"{one['msg']}, got {one['input']!r}",
                    fix="give rule, resource, reason (ten characters or more) and until (a date)",
                )
                for one in error.errors()
            )
        ) from None
    if problems := [_unknown_rule(where, waiver, rules) for waiver in found if waiver.rule not in rules]:
        raise SettingsError(*problems)
    return found


def _unknown_rule(where: str, waiver: Waiver, rules: Collection[str]) -> Problem:
    near = difflib.get_close_matches(waiver.rule, rules, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return Problem(
        where=where, what=f"no rule is called {waiver.rule!r}", fix=f"{hint}slipway check --rules lists them"
    )
