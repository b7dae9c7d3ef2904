"""Every field of policies, robots, scanners and schedules: changed by somebody else, seen, undone.

A field of a model that is neither here nor in EXEMPT fails.
"""

import copy

import pytest
import yaml

from slipway.harbor.spec.preheat import PreheatExtraSpec, PreheatFilterSpec, PreheatInstanceSpec, PreheatPolicySpec
from slipway.harbor.spec.replication import ReplicationSpec
from slipway.harbor.spec.robots import ProjectRobotSpec, SystemRobotSpec
from slipway.harbor.spec.scanners import ScannerSpec
from slipway.harbor.spec.schedules import GcSpec, PurgeSpec, ScheduleSpec
from slipway.harbor.spec.tags import CRITERIA, ImmutableRuleSpec, RetentionRuleSpec, RetentionSpec
from slipway.harbor.spec.webhooks import TargetSpec, WebhookSpec
from tests.harbor_as_code.world import Place

_NAME, _OURS = "it is the key: another name is another object", "a rule for us, nothing in Harbor"
_SECRET = "Harbor shows no secret, or reads it back: test_webhooks.py, test_robots.py, test_kinds.py"
_STRATEGY = "how it is renewed: another one is told, test_robots.py"
_CRITERION = "of a rule there is one: below"
NAMED = (
    ScannerSpec,
    ReplicationSpec,
    WebhookSpec,
    ProjectRobotSpec,
    SystemRobotSpec,
    PreheatInstanceSpec,
    PreheatPolicySpec,
)
EXEMPT = {
    (model, name): why
    for model, name, why in (
        *((model, name, _OURS) for model in NAMED for name in ("adopt", "protect")),
        *((model, "name", _NAME) for model in NAMED),
        *((model, "secret", _OURS) for model in (ProjectRobotSpec, SystemRobotSpec)),
        *((model, "rotation", _STRATEGY) for model in (ProjectRobotSpec, SystemRobotSpec)),
        *((RetentionRuleSpec, name, _CRITERION) for name in CRITERIA),
        (ScannerSpec, "access_credential", _SECRET),
        (TargetSpec, "auth_header", _SECRET),
        (PreheatInstanceSpec, "access_credential", _SECRET),
        (PreheatInstanceSpec, "vendor", "Harbor cannot change it: told, test_preheat.py"),
        (ReplicationSpec, "execute_on_changed", "an order, nothing in Harbor: test_replication.py"),
        (GcSpec, "redis", "Harbor alone writes it: test_schedules.py"),
        (GcSpec, "type", "ScheduleSpec"),
        (GcSpec, "cron", "ScheduleSpec"),
        (PurgeSpec, "cron", "ScheduleSpec"),
    )
}  # fmt: skip
PULL, PUSH = {"resource": "repository", "action": "pull"}, {"resource": "repository", "action": "push"}
WHOLE = {
    "system": {
        "scanners": [{"name": "ext", "url": "https://one.example.com", "auth": "Basic", "access_credential": {"secretRef": {"env": "KEY"}}, "description": "", "skip_cert_verify": False, "use_internal_addr": False, "disabled": False}],
        "schedules": {
            "scan_all": {"type": "Custom", "cron": "0 0 1 * * *"},
            "gc": {"type": "Daily", "delete_untagged": False, "delete_tag": False, "workers": 1},
            "purge_audit": {"type": "Daily", "audit_retention_hour": 24, "include_event_types": ["other"]},
        },
    },
    "registries": [{"name": name, "type": "harbor", "url": f"https://{name}.example.com"} for name in ("dr", "us")],
    "replication_policies": [
        {"name": "push", "dest_registry": "dr", "dest_namespace": "x", "trigger": {"type": "manual"}, "filters": [],
         "description": "", "dest_namespace_replace_count": -1, "deletion": False, "override": True, "enabled": True, "speed": 0,
         "copy_by_chunk": False, "single_active_replication": False},
        {"name": "pull", "src_registry": "us"},
    ],
    "preheat_instances": [
        {"name": "dfly", "vendor": "dragonfly", "endpoint": "https://dfly.example.com", "auth_mode": "BASIC", "access_credential": {"secretRef": {"env": "LOGIN"}},
         "description": "", "enabled": True, "default": False, "insecure": False},
        {"name": "else", "vendor": "kraken", "endpoint": "https://kraken.example.com"},
    ],
    "robots": [{"name": "nodes", "duration": 60, "description": "", "disable": False, "permissions": [{"namespace": "a", "access": [PULL]}], "secret": {"file": "nodes.json"}}],
    "projects": {
        "a": {
            "retention_policy": {"schedule": "Daily", "rules": [{"most_recently_pushed": 1, "repo_matching": "r", "tag_matching": "t"}]},
            "immutable_tag_rules": [{"repo_matching": "r", "tag_matching": "t"}],
            "preheat_policies": [{"name": "p", "instance": "else", "description": "", "enabled": True, "trigger": {"type": "manual"}, "filters": [{"type": "repository", "value": "**"}], "extra_attrs": {"scope": None, "cluster_ids": None}}],
            "webhooks": [{"name": "w", "enabled": True, "description": "", "event_types": ["REPLICATION"], "targets": [{"address": "https://one.example.com"}]}],
            "robots": [{"name": "ci", "duration": 60, "description": "", "disable": False, "permissions": [PULL], "secret": {"file": "ci.json"}}],
        }
    },
}  # fmt: skip
SCANNER, GC, PURGE = ("system", "scanners", 0), ("system", "schedules", "gc"), ("system", "schedules", "purge_audit")
SCAN, PUSHED, PULLED = ("system", "schedules", "scan_all"), ("replication_policies", 0), ("replication_policies", 1)
A, NODES = ("projects", "a"), ("robots", 0)
RETENTION, HOOK, CI = (*A, "retention_policy"), (*A, "webhooks", 0), (*A, "robots", 0)
DFLY, SENT = ("preheat_instances", 0), (*A, "preheat_policies", 0)
KEEP, FIXED, TARGET = (*RETENTION, "rules", 0), (*A, "immutable_tag_rules", 0), (*HOOK, "targets", 0)
#: Model, where it stands, field → another value; a dict in place of a value changes several together (None removes).
CHANGES = [
    (ScannerSpec, SCANNER, {"url": "https://two.example.com", "description": "x", "auth": "Bearer", "skip_cert_verify": True, "use_internal_addr": True, "disabled": True}),
    (ScheduleSpec, SCAN, {"type": {"type": "Daily", "cron": None}, "cron": "0 0 2 * * *"}),
    (GcSpec, GC, {"delete_untagged": True, "delete_tag": True, "workers": 3}),
    (PurgeSpec, PURGE, {"type": "Weekly", "audit_retention_hour": 48, "include_event_types": ["create_artifact"]}),
    (ReplicationSpec, PUSHED, {
        "description": "x", "dest_registry": "us", "dest_namespace": "y", "dest_namespace_replace_count": 2,
        "trigger": {"trigger": {"type": "event_based"}}, "filters": [{"type": "name", "value": "**"}], "deletion": True,
        "override": False, "enabled": False, "speed": 7, "copy_by_chunk": True, "single_active_replication": True,
    }),
    (ReplicationSpec, PULLED, {"src_registry": "dr"}),
    (RetentionSpec, RETENTION, {"schedule": "Weekly", "rules": []}),
    (RetentionRuleSpec, KEEP, {
        "repo_matching": "x", "repo_excluding": {"repo_matching": None, "repo_excluding": "r"}, "tag_matching": "x",
        "tag_excluding": {"tag_matching": None, "tag_excluding": "t"}, "disabled": True, "untagged_artifacts": False,
    }),
    *(
        (None, KEEP, {name: {"most_recently_pushed": None, name: True if name == "always_retain" else 9}})
        for name in CRITERIA
    ),
    (ImmutableRuleSpec, FIXED, {
        "repo_matching": "x", "repo_excluding": {"repo_matching": None, "repo_excluding": "r"}, "tag_matching": "x",
        "tag_excluding": {"tag_matching": None, "tag_excluding": "t"}, "disabled": True,
    }),
    (WebhookSpec, HOOK, {"enabled": False, "description": "x", "event_types": ["PULL_ARTIFACT"], "targets": [{"address": "https://x.example.com"}]}),
    (TargetSpec, TARGET, {"type": "slack", "address": "https://x.example.com", "payload_format": "CloudEvents", "skip_cert_verify": True}),
    (ProjectRobotSpec, CI, {"description": "x", "duration": 30, "disable": True, "permissions": [PUSH], "preset": "ci"}),
    (PreheatInstanceSpec, DFLY, {
        "endpoint": "https://x.example.com", "description": "x", "auth_mode": "OAUTH", "enabled": False, "default": True, "insecure": True,
    }),
    (PreheatPolicySpec, SENT, {
        "instance": "dfly", "description": "x", "enabled": False, "trigger": {"trigger": {"type": "event_based"}}, "filters": [{"type": "tag", "value": "v*"}],
        "extra_attrs": {"extra_attrs": {"scope": "all_peers", "cluster_ids": [1]}},
    }),
    (PreheatFilterSpec, (*SENT, "filters", 0), {"type": "tag", "value": "x"}),
    (PreheatExtraSpec, (*SENT, "extra_attrs"), {"scope": "all_peers", "cluster_ids": [1, 2]}),
    (SystemRobotSpec, NODES, {"description": "x", "duration": 30, "disable": True, "permissions": [{"namespace": "*", "access": [PULL]}]}),
]  # fmt: skip
CASES = [
    pytest.param(place, value if isinstance(value, dict) else {name: value}, id=".".join(map(str, (*place, name))))
    for _, place, several in CHANGES
    for name, value in several.items()
]


def changed(place, values):
    """Give the whole with these values at a place."""
    data = copy.deepcopy(WHOLE)
    at = data
    for part in place:
        at = at[part]
    for name, value in values.items():
        at.pop(name, None)
        if value is not None:
            at[name] = value
    return data


def test_no_field_is_forgotten():
    changed = {(model, name) for model, _, several in CHANGES for name in several if model}
    models = {model for model, _, _ in CHANGES if model}
    every = {(model, name) for model in models for name in model.model_fields}
    assert every - changed - EXEMPT.keys() == set()
    assert EXEMPT.keys() - every == set()


@pytest.fixture(scope="module")
def two(contract_server, tmp_path_factory):
    """One Harbor with the whole in it, and somebody else with another ledger who may change everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEY", "s3cret-of-the-scanner")
        patch.setenv("LOGIN", "harbor:s3cret")
        contract_server.reset()
        here = Place(contract_server, tmp_path_factory.mktemp("here"))
        there = Place(contract_server, tmp_path_factory.mktemp("there"))
        text = yaml.safe_dump(WHOLE)
        assert here.apply(text).good
        assert here.plan(text).actions == []
        yield here, there, text


@pytest.mark.parametrize(("place", "values"), CASES)
def test_a_change_of_the_field_is_seen_and_undone(two, place, values):
    here, there, text = two
    assert there.apply(yaml.safe_dump(changed(place, values)), adopt=True).good
    [action] = here.plan(text).actions
    assert action.verb == "update"
    assert here.apply(text).good
    plan = here.plan(text)
    assert (plan.actions, plan.problems) == ([], [])
