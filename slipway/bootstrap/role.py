"""The deploy role, its policies, and the CI hosts that are trusted with it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.errors import BootstrapError, Problem
from slipway.bootstrap.wanted import ROLE, TAGS, Issuer, Wanted, same_document

_TAGS = [{"Key": key, "Value": value} for key, value in TAGS.items()]
#: IAM keeps so many versions of a managed policy.
_VERSIONS = 5
SESSION_SECONDS = 4 * 3600


class Policy:
    """One managed policy (`slipway.bootstrap.steps.Part`)."""

    def __init__(self, wanted: Wanted, iam: Any, name: str, document: str) -> None:  # noqa: ANN401  # a boto3 client
        self._iam, self._name, self._document = iam, name, document
        self._arn = f"arn:{wanted.partition}:iam::{wanted.account}:policy/{name}"

    @property
    def name(self) -> str:
        """What it is."""
        return f"IAM policy {self._name}"

    def look(self) -> Sequence[str] | None:
        """Give what differs; see `Part`."""
        try:
            current = self._iam.get_policy(PolicyArn=self._arn)["Policy"]["DefaultVersionId"]
        except self._iam.exceptions.NoSuchEntityException:
            return None
        version = self._iam.get_policy_version(PolicyArn=self._arn, VersionId=current)["PolicyVersion"]
        return [] if same_document(_text(version["Document"]), self._document) else ["its statements were others"]

    def make(self) -> None:
        """Make it."""
        self._iam.create_policy(PolicyName=self._name, PolicyDocument=self._document, Tags=_TAGS)

    def mend(self) -> None:
        """Make the wanted document its default version; the oldest gives way."""
        if not self.look():
            return
        versions = self._iam.list_policy_versions(PolicyArn=self._arn)["Versions"]
        if len(versions) >= _VERSIONS:
            oldest = min((one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"])
            self._iam.delete_policy_version(PolicyArn=self._arn, VersionId=oldest["VersionId"])
        self._iam.create_policy_version(PolicyArn=self._arn, PolicyDocument=self._document, SetAsDefault=True)


class Provider:
    """The identity provider of a CI host (`slipway.bootstrap.steps.Part`); one that is there already is used."""

    def __init__(self, wanted: Wanted, iam: Any, issuer: Issuer) -> None:  # noqa: ANN401  # a boto3 client
        self._iam, self._issuer, self._arn = iam, issuer, wanted.issuer_arn(issuer)

    @property
    def name(self) -> str:
        """What it is."""
        return f"OIDC provider {self._issuer.host}"

    def look(self) -> Sequence[str] | None:
        """Give what differs; see `Part`."""
        try:
            found = self._iam.get_open_id_connect_provider(OpenIDConnectProviderArn=self._arn)
        except self._iam.exceptions.NoSuchEntityException:
            return None
        return [] if self._issuer.audience in found["ClientIDList"] else [f"did not know {self._issuer.audience}"]

    def make(self) -> None:
        """Make it; AWS trusts the issuers' certificate authorities by itself."""
        self._iam.create_open_id_connect_provider(
            Url=f"https://{self._issuer.host}", ClientIDList=[self._issuer.audience], Tags=_TAGS
        )

    def mend(self) -> None:
        """Add the audience."""
        if not self.look():
            return
        self._iam.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=self._arn, ClientID=self._issuer.audience
        )


class Role:
    """The deploy role (`slipway.bootstrap.steps.Part`)."""

    name = f"IAM role {ROLE}"

    def __init__(self, wanted: Wanted, iam: Any, policies: Mapping[str, str]) -> None:  # noqa: ANN401  # a boto3 client
        self._wanted, self._iam = wanted, iam
        self._policies = {f"arn:{wanted.partition}:iam::{wanted.account}:policy/{name}" for name in policies}

    def look(self) -> Sequence[str] | None:
        """Give what differs; see `Part`."""
        try:
            found = self._iam.get_role(RoleName=ROLE)["Role"]
        except self._iam.exceptions.NoSuchEntityException:
            return None
        if TAGS.items() - {(tag["Key"], tag["Value"]) for tag in found.get("Tags", ())}:
            fix = "rename that role, or give it Slipway's tags if it is to be this one"
            raise BootstrapError(Problem(where=self.name, what="exists, and Slipway did not make it", fix=fix))
        attached = self._attached()
        differs = []
        if not same_document(_text(found["AssumeRolePolicyDocument"]), self._trust(found)):
            differs.append("who may take it was not the same")
        if missing := self._policies - attached:
            differs.append(f"{len(missing)} of its policies were not attached")
        if foreign := attached - self._policies:
            differs.append(f"it had {', '.join(sorted(one.rpartition('/')[2] for one in foreign))} as well")
        return differs

    def make(self) -> None:
        """Make it."""
        self._iam.create_role(
            RoleName=ROLE,
            AssumeRolePolicyDocument=self._wanted.trust(),
            Description="Runs pulumi up for Slipway",
            MaxSessionDuration=SESSION_SECONDS,
            Tags=_TAGS,
        )

    def mend(self) -> None:
        """Set who may take it, and what it may do."""
        found = self._iam.get_role(RoleName=ROLE)["Role"]
        self._iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=self._trust(found))
        attached = self._attached()
        for arn in sorted(self._policies - attached):
            self._iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
        for arn in sorted(attached - self._policies):
            self._iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn)

    def _trust(self, found: Mapping[str, Any]) -> str:
        """Give the wanted trust; whom an earlier run trusted stays trusted, since one role serves every environment."""
        there = json.loads(_text(found["AssumeRolePolicyDocument"]))["Statement"]
        ours = json.loads(self._wanted.trust())["Statement"]
        people = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        administrators = sorted({one for statement in (*there, *ours) for one in _principals(statement)})
        hosts = [statement for statement in (*there, *ours) if "Federated" in statement["Principal"]]
        distinct = list({json.dumps(statement, sort_keys=True): statement for statement in hosts}.values())
        first = {**people, "Principal": {"AWS": administrators}}
        return json.dumps({"Version": "2012-10-17", "Statement": [first, *distinct]})

    def _attached(self) -> set[str]:
        pages = self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=ROLE)
        return {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}


def _principals(statement: Mapping[str, Any]) -> list[str]:
    found = statement["Principal"].get("AWS", [])
    # IAM writes a bare id where the one who was trusted is deleted, and takes no such document back.
    return [one for one in ([found] if isinstance(found, str) else found) if one.startswith("arn:")]


def _text(document: Any) -> str:  # noqa: ANN401  # boto3 gives a document parsed
    return document if isinstance(document, str) else json.dumps(document)
