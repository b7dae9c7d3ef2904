"""The token service: it gives a token with the rights that the sender has, and never says no to a wrong secret.

token(harbor, who, ["repository:payments/app:pull,push"])
"""

from tests.harbor.server.answers import Answer, unauthorized
from tests.harbor.server.harbor import Harbor
from tests.harbor.server.who import Who


def token(harbor: Harbor, who: Who, scopes: list[str]) -> Answer:
    """Give a token for what was asked for, with as many of those rights as the sender has: often none."""
    if not who.authenticated and not scopes:
        raise unauthorized("Unauthorized")
    access = []
    for scope in " ".join(scopes).split():
        kind, _, rest = scope.partition(":")
        name, _, _ = rest.rpartition(":")
        access.append({"type": kind, "name": name, "actions": _granted(harbor, who, kind, name)})
    minutes = int(harbor.setting("token_expiration"))
    text = harbor.tokens.issue(who.name, access, minutes=minutes)
    return Answer(body={"token": text, "access_token": "", "expires_in": minutes * 60, "issued_at": harbor.stamp()})


def _granted(harbor: Harbor, who: Who, kind: str, name: str) -> list[str]:
    if kind == "registry":
        return ["*"] if who.admin else []
    project = harbor.state.find("project", name.partition("/")[0])
    if project is None:
        return []
    return [action for action in ("pull", "push", "delete") if who.may(action, "repository", project)]
