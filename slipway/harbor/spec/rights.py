"""What a robot can be given, as Harbor 2.15 has it; anything else it refuses.

("repository", "push") in PROJECT
"""

from infra.layers import did_you_mean


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    lines = (line.split(":") for line in text.strip().splitlines())
    return frozenset((resource.strip(), action) for resource, actions in lines for action in actions.split())


#: On the system. No configuration, and robots may not be changed.
SYSTEM = _pairs("""
    audit-log: list
    preheat-instance: read create delete list update
    project: list create
    replication-policy: read create delete list update
    replication: read create list
    replication-adapter: list
    registry: read create delete list update
    scan-all: read update stop create
    system-volumes: read
    garbage-collection: read create list update stop
    purge-audit: read create list update stop
    jobservice-monitor: list stop
    scanner: read create delete list update
    label: read create delete update
    security-hub: read list
    catalog: read
    quota: read list update
    robot: create read list delete
    user: create read update list delete
    ldap-user: create list
    user-group: create read update list delete
""")

#: In projects.
PROJECT = _pairs("""
    log: list
    project: read delete update
    metadata: read create delete list update
    repository: read update delete list pull push
    artifact: read create list delete
    scan: create read stop
    sbom: create stop read
    tag: create list delete
    accessory: list
    artifact-addition: read
    artifact-label: create delete
    scanner: create read
    preheat-policy: read create delete list update
    immutable-tag: create delete list update
    notification-policy: read create delete list update
    tag-retention: read create delete list update
    label: read create delete list update
    quota: read
    robot: create read list delete
    export-cve: create read
    member: create read update list delete
""")


def refuse_unknown(resource: str, action: str, allowed: frozenset[tuple[str, str]], where: str) -> None:
    """Refuse a right that no robot can have there.

    Raises:
        ValueError: naming what there is.
    """
    if (resource, action) in allowed:
        return
    actions = sorted(each for name, each in allowed if name == resource)
    if actions:
        raise ValueError(f"no robot may {action} {resource} {where}; there is {', '.join(actions)}")
    raise ValueError(f"{resource!r} is nothing that a robot has rights on {where}{_near(resource, allowed)}")


def _near(resource: str, allowed: frozenset[tuple[str, str]]) -> str:
    return did_you_mean(resource, sorted({name for name, _ in allowed}))
