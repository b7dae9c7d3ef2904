"""Robots of projects and of the system: rights, days to live, where the secret is kept, how it is renewed.

robots: [{name: ci, preset: ci, duration: 90, secret: {awsSecretsManager: "harbor/robots/{project}/ci"}, rotation: {}}]
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from slipway.harbor.spec.base import NAME, Named, Spec, Text
from slipway.harbor.spec.rights import PROJECT, SYSTEM, refuse_unknown

Preset = Literal["pull", "push", "ci", "scan"]
_LONGEST = 253  # two more for the letters of a pair
_RobotName = Annotated[str, StringConstraints(pattern=NAME, max_length=_LONGEST)]
EVERYWHERE, ON_SYSTEM = "*", "/"


def _days(value: int) -> int:
    if value != -1 and not 1 <= value <= 3650:
        raise ValueError("days to live are 1 to 3650, or -1 for no end")
    return value


class RightSpec(Spec):
    """One right."""

    resource: Text
    action: Text


class GrantSpec(Spec):
    """Rights in one project, in all (`*`), or on the system (`/`)."""

    kind: Literal["project", "system"] = "project"
    namespace: Text
    preset: Preset | None = None
    access: list[RightSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _rights_that_there_are(self) -> Self:
        if (self.kind == "system") != (self.namespace == ON_SYSTEM):
            raise ValueError("namespace / goes with kind system, and no other namespace does")
        if self.kind == "system" and self.preset:
            raise ValueError("a preset gives rights in projects; name those on the system in access")
        if not self.access and not self.preset:
            raise ValueError("no right is given: name a preset, or some in access")
        allowed, where = (SYSTEM, "on the system") if self.kind == "system" else (PROJECT, "in a project")
        for each in self.access:
            refuse_unknown(each.resource, each.action, allowed, where)
        return self


class KubernetesPlace(Spec):
    """A Secret of type kubernetes.io/dockerconfigjson, in the cluster of the current context."""

    namespace: Text
    name: Text


class PlaceSpec(Spec):
    """Where the secret is kept; one of the three. `{project}` and `{robot}` in it stand for the names."""

    awsSecretsManager: str | None = Field(default=None, description="Name of a secret.")  # noqa: N815
    kmsKey: str | None = Field(default=None, description="Key or alias that encrypts it.")  # noqa: N815
    region: str | None = Field(default=None, description="Of Secrets Manager.")
    file: str | None = Field(default=None, description="Path, relative to harbor.yaml; readable by its owner only.")
    kubernetes: KubernetesPlace | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.awsSecretsManager, self.file, self.kubernetes)) != 1:
            raise ValueError("name one of awsSecretsManager, file and kubernetes")
        if not self.awsSecretsManager and (self.kmsKey or self.region):
            raise ValueError("kmsKey and region go with awsSecretsManager")
        return self

    def of(self, project: str, robot: str) -> "PlaceSpec":
        """Give the place of one robot."""

        def filled(text: str) -> str:
            return text.replace("{project}", project).replace("{robot}", robot)

        if self.kubernetes:
            inside = self.kubernetes
            named = KubernetesPlace(namespace=filled(inside.namespace), name=filled(inside.name))
            return self.model_copy(update={"kubernetes": named})
        name = "file" if self.file else "awsSecretsManager"
        return self.model_copy(update={name: filled(self.file or self.awsSecretsManager or "")})

    def of_system(self) -> "PlaceSpec":
        """Give the place without what a project would have filled in."""

        def without(text: str) -> str:
            return re.sub(r"\{project\}[-/._]?", "", text)

        if self.kubernetes:
            inside = self.kubernetes
            named = KubernetesPlace(namespace=inside.namespace, name=without(inside.name))
            return self.model_copy(update={"kubernetes": named})
        name = "file" if self.file else "awsSecretsManager"
        return self.model_copy(update={name: without(self.file or self.awsSecretsManager or "")})

    def __str__(self) -> str:
        if self.kubernetes:
            return f"Secret {self.kubernetes.namespace}/{self.kubernetes.name}"
        return f"file {self.file}" if self.file else f"secret {self.awsSecretsManager}"


class RotationSpec(Spec):
    """How `slipway harbor rotate` renews it.

    Attributes:
        strategy: two robots NAME-a and NAME-b of which the older lives on for a time; or one whose secret is replaced,
            which breaks at once whoever has the old one.
    """

    strategy: Literal["blue_green", "in_place"] = "blue_green"
    before_days: int = Field(default=30, ge=1, le=3650, description="Renew when it has so many days left.")
    overlap_days: int = Field(default=7, ge=0, le=365, description="So long both of a pair are valid.")


class RobotSpec(Named):
    """What robots of both levels have."""

    name: _RobotName
    description: str | None = Field(default=None, description="Not of a pair, which describes itself.")
    duration: Annotated[int, AfterValidator(_days)] | None = Field(
        default=None, description="Days to live, from when it was made or renewed; -1 for ever. Default: 90."
    )
    disable: bool | None = None
    secret: PlaceSpec | None = Field(default=None, description="Where its secret is kept; needed to make one.")
    rotation: RotationSpec | None = Field(default=None, description="Without it there is one robot, NAME itself.")

    @property
    def is_pair(self) -> bool:
        """Whether it is two robots, of which one is in use."""
        return self.rotation is not None and self.rotation.strategy == "blue_green"

    @model_validator(mode="after")
    def _as_pairs_are(self) -> Self:
        if not self.rotation:
            return self
        if self.duration == -1:
            raise ValueError("what never ends needs no rotation: give a duration, or take rotation away")
        if self.rotation.before_days >= (self.duration or DEFAULT_DAYS):
            raise ValueError("rotation.before_days is not less than duration: it would be renewed again and again")
        if self.secret is None:
            raise ValueError("rotation needs secret: where the new one is kept")
        if self.is_pair and (self.description is not None or self.disable is not None):
            raise ValueError("a pair describes itself and is never disabled; take description and disable away")
        return self


class ProjectRobotSpec(RobotSpec):
    """A robot of a project."""

    preset: Preset | None = None
    permissions: list[RightSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _rights_that_there_are(self) -> Self:
        if not self.permissions and not self.preset:
            raise ValueError("a robot needs rights: a preset (pull, push, ci, scan), or permissions")
        for each in self.permissions:
            refuse_unknown(each.resource, each.action, PROJECT, "in a project")
        return self

    def grants(self, project: str) -> Iterator[GrantSpec]:
        """Give its rights as a system robot's."""
        yield GrantSpec(namespace=project, preset=self.preset, access=self.permissions)


class SystemRobotSpec(RobotSpec):
    """A robot of the system, with rights in several projects."""

    permissions: list[GrantSpec] = Field(min_length=1)


DEFAULT_DAYS = 90
