"""What `slipway explain` tells of one key: a value for each layer, and which of them counts.

answer.value, answer.effective.name, answer.effective.place
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What one layer says about a key.

    Attributes:
        name: the layer, as a person calls it.
        value: as plain data; what is encrypted is not shown.
        place: file with line, where it stands in one.
    """

    name: str
    value: Any
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One key, explained.

    Attributes:
        key: dotted.
        kind: a setting of the stack, or a value of Harbor's chart.
        why: its description, or the comment beside the value.
        layers: what each layer says that says anything, lowest first.
        effective: the layers that count: the last, or, of a mapping, each that gives a part of it.
        value: what counts.
        follows: settings and facts that the value changes with; their place is where they are set.
    """

    key: str
    kind: str
    why: str
    layers: Sequence[Setting]
    effective: Sequence[Setting]
    value: Any
    follows: Sequence[Setting] = field(default=())
