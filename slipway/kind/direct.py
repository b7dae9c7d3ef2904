"""Harbor by Helm alone, without Flux: the same files, put together by this process in place of Flux's controllers.

What Flux does and this does not: nothing is corrected later, no drift is seen, nobody waits for a failed release again.
Helm's own command would refuse fields that somebody else owns; Flux forces them, so `--force-conflicts` does here.
"""

import json
from collections.abc import Mapping
from functools import reduce

import yaml

from slipway.kind.commands import Commands
from slipway.kind.place import Place
from slipway.kind.secrets import value_of
from values.composition import Composition
from values.merge import LOADER, harbor_values, merged
from values.secrets import secrets_for

_AS_FLUX_DOES = ("--server-side=true", "--force-conflicts", "--wait", "--timeout", "30m")


def deliver(commands: Commands, place: Place, files: Mapping[str, str]) -> None:
    """Apply what comes before Harbor, then our chart and Harbor's.

    Args:
        commands: run by.
        place: where.
        files: rendered, path → text.
    """
    home = f"apps/harbor/{place.name}"
    before = place.folder / "prerequisites.yaml"
    commands.write(before, files[f"{home}/prerequisites/namespace.yaml"])
    commands.run("kubectl", "apply", "--server-side", "--force-conflicts", "--filename", str(before))
    chart = place.folder / "support"
    inside = f"{home}/support/chart/"
    for path, text in files.items():
        if path.startswith(inside):
            commands.write(chart / path.removeprefix(inside), text)
    values = place.folder / "support-values.yaml"
    commands.write(values, files[f"{home}/support/values.yaml"])
    named = ("--namespace", "harbor", "--values")
    commands.run("helm", "upgrade", "--install", "harbor-support", str(chart), *named, str(values), *_AS_FLUX_DOES)
    facts = place.facts()
    official = ("harbor", "--repo", facts.chart_repository, "--version", facts.chart_version)
    commands.run(
        "helm", "upgrade", "--install", "harbor", *official, *named, "-", *_AS_FLUX_DOES,
        stdin=all_values(commands, place, files), what="Harbor's values, with the password of its database",
    )  # fmt: skip


def all_values(commands: Commands, place: Place, files: Mapping[str, str]) -> str:
    """Give what the HelmRelease would hand to the chart, the documents that are in Secrets among it."""
    held = [secret for secret in secrets_for(Composition.of(place.facts()).parts) if secret.is_values]
    texts = [value_of(commands, secret.namespace, secret.name, "values.yaml") for secret in held]
    documents = [yaml.load(text, Loader=LOADER) or {} for text in texts]  # noqa: S506  # both are safe loaders
    return json.dumps(reduce(merged, documents, harbor_values(files)))
