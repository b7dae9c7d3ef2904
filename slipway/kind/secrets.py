"""The Secrets of a kind cluster: made once from the secret table, kept in the cluster, never on this machine.

    make_secrets(commands, place)

A Secret that is there is never read and never replaced; `kubectl create` refuses to, whatever happens between.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.errors import KindError, Problem
from slipway.kind.commands import Commands
from slipway.kind.place import TLS_SECRET, Place
from slipway.kind.sources import made, password
from values.composition import Composition
from values.facts import Facts
from values.secrets import HarborSecret, secrets_for

GIT_NAMESPACE, IDENTITIES = "slipway-git", "git-identities"
_KEPT = {"app.kubernetes.io/managed-by": "slipway"}


def make_secrets(commands: Commands, facts: Facts) -> list[str]:
    """Make what is missing of Harbor's Secrets, in one request; gives their names.

    Raises:
        KindError: a Secret that data depends on is gone; kubectl failed.
    """
    wanted = [secret for secret in secrets_for(Composition.of(facts).parts) if not secret.late]
    there = present(commands, "harbor")
    missing = [secret for secret in wanted if secret.name not in there]
    _refuse_lost(commands, missing)
    if missing or commands.is_dry:
        names = f"the {len(missing)} Secrets of Harbor that are missing"
        documents = [] if commands.is_dry else [document(secret) for secret in missing]
        commands.run("kubectl", "create", "--filename", "-", stdin=listed(documents), what=names)
    return [secret.name for secret in missing]


def make_identities(commands: Commands) -> None:
    """Make the Git server's writer and reader, and the reader's copy for Flux."""
    from infra.delivery.instance import NAMESPACE, SYNC  # noqa: PLC0415

    if IDENTITIES not in present(commands, GIT_NAMESPACE):
        both = {"writer": password(32), "reader": password(32)}
        text = listed([opaque(IDENTITIES, GIT_NAMESPACE, both)])
        commands.run("kubectl", "create", "--filename", "-", stdin=text, what="writer and reader of the Git server")
    if SYNC not in present(commands, NAMESPACE):
        reader = {"username": "git", "password": identity(commands, "reader")}
        text = listed([opaque(SYNC, NAMESPACE, reader)])
        commands.run("kubectl", "create", "--filename", "-", stdin=text, what="the reader, for Flux")


def identity(commands: Commands, who: str) -> str:
    """Read the password of the Git server's writer or reader."""
    return value_of(commands, GIT_NAMESPACE, IDENTITIES, who)


def value_of(commands: Commands, namespace: str, name: str, key: str) -> str:
    """Read one value of a Secret.

    Raises:
        KindError: it is not there.
    """
    shown = commands.ask("kubectl", "get", "secret", name, "--namespace", namespace, "--output", "json", fresh="{}")
    data = json.loads(shown).get("data", {})
    if commands.is_dry:
        return ""
    if key not in data:
        where = f"Secret {namespace}/{name}"
        raise KindError(Problem(where=where, what=f"has no key {key}", fix="it was changed by hand: bring it back"))
    return base64.b64decode(data[key]).decode()


def present(commands: Commands, namespace: str) -> set[str]:
    """Give the names of the Secrets that a namespace has."""
    return _names(commands.ask("kubectl", "get", "secrets", "--namespace", namespace, "--output", "name"))


def document(secret: HarborSecret) -> dict[str, Any]:
    """Make one Secret of the table, with the keys that External Secrets would write on EKS."""
    values = made(secret.properties)
    data = {key: _filled(text, values) for key, text in secret.template.items()} or values
    return opaque(secret.name, secret.namespace, data)


def opaque(name: str, namespace: str, data: Mapping[str, str], kind: str = "Opaque") -> dict[str, Any]:
    """Give a Secret as a document."""
    metadata = {"name": name, "namespace": namespace, "labels": _KEPT}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "stringData": dict(data)}


def listed(documents: Sequence[Mapping[str, Any]]) -> str:
    """Give documents as one, as kubectl takes it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})


def make_tls(commands: Commands, place: Place) -> None:
    """Make the registry's certificate, signed by this machine's own authority, where it has a name of its own."""
    from slipway.kind.authority import Authority, is_good  # noqa: PLC0415

    is_there = TLS_SECRET in present(commands, "harbor")
    if is_there and is_good(value_of(commands, "harbor", TLS_SECRET, "tls.crt"), place.host):
        return
    data = {} if commands.is_dry else Authority.kept().certificate(place.host)
    text = listed([opaque(TLS_SECRET, "harbor", data, "kubernetes.io/tls")])
    verb = "replace" if is_there else "create"
    commands.run("kubectl", verb, "--filename", "-", stdin=text, what=f"the certificate of {place.host}")


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{{ .{name} }}}}", value)
    return text


def _refuse_lost(commands: Commands, missing: Sequence[HarborSecret]) -> None:
    """Refuse to make anew what the data on the volumes was written with.

    Raises:
        KindError: such a Secret is missing, and the volumes are there.
    """
    once = [secret for secret in missing if secret.once]
    if not once:
        return
    claims = commands.ask("kubectl", "get", "persistentvolumeclaims", "--namespace", "harbor", "--output", "name")
    if claims.strip():
        raise KindError(
            *(
                Problem(
                    where=f"Secret harbor/{secret.name}",
                    what=f"is gone, and Harbor's volumes are there; rotation: {secret.rotation}",
                    fix="bring it back from a backup; or begin anew without the data: slipway kind down",
                )
                for secret in once
            )
        )


def _names(output: str) -> set[str]:
    return {line.partition("/")[2] for line in output.split()}
