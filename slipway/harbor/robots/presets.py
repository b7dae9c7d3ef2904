"""The rights of a robot by what it is for: nothing that deletes, nothing outside its projects.

PRESETS["pull"]      # (Access(resource="repository", action="pull"),)
"""

from collections.abc import Mapping

from slipway.harbor.client.models import Access


def _rights(text: str) -> tuple[Access, ...]:
    lines = (line.split(":") for line in text.strip().splitlines())
    return tuple(Access(resource=name.strip(), action=action) for name, actions in lines for action in actions.split())


PRESETS: Mapping[str, tuple[Access, ...]] = {
    "pull": _rights("repository: pull"),
    # Harbor gives a token for pushing to those only who may pull as well.
    "push": _rights("repository: pull push"),
    # What a pipeline asks Harbor's API besides: tags, a scan and its report, a bill of materials.
    "ci": _rights("""
        repository: pull push read list
        artifact: read list
        artifact-addition: read
        accessory: list
        tag: create list
        scan: create read
        sbom: create read
    """),
    # Scans what others pushed, and reads the reports.
    "scan": _rights("""
        repository: pull read list
        artifact: read list
        artifact-addition: read
        scan: create read stop
        sbom: create read stop
    """),
}
