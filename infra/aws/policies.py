"""Policy documents as plain data, and the JSON text that AWS takes; pure, so that each is tested without a cloud."""

import json
from typing import Any

Statement = dict[str, Any]

#: A statement's principal of everybody; only beside a condition that narrows it.
EVERYBODY = {"AWS": "*"}


def allow(actions: list[str], resource: str | list[str], **more: Any) -> Statement:  # noqa: ANN401  # JSON
    """Give a statement that allows `actions`; `more` are its other keys, such as Principal and Condition."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny_plain_http(resource: str | list[str], actions: str = "*") -> Statement:
    """Give a statement that denies everybody what does not come by TLS."""
    return {
        "Sid": "DenyPlain",
        "Effect": "Deny",
        "Principal": EVERYBODY,
        "Action": actions,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def policy_document(statements: list[Statement]) -> str:
    """Give a policy document as stable JSON text."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def service_trust(service: str, *, account: str = "") -> str:
    """Give the trust policy of a role that one AWS service takes.

    Args:
        service: its principal, ``backup.amazonaws.com``.
        account: where given, only for work on behalf of this account (the confused-deputy condition).
    """
    statement: Statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return policy_document([statement])
