"""Every field of every kind, generated from the models: changed by somebody else, seen by the plan, undone by apply.

A field that is not here is in EXEMPT with its reason; a new field of a model without a value fails.
"""

import copy
import types
import typing
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from slipway.harbor.spec.people import GroupSpec, MemberGroupSpec, MemberUserSpec, UserSpec
from slipway.harbor.spec.projects import AllowlistSpec, MetadataSpec, ProjectSettings
from slipway.harbor.spec.registries import CredentialSpec, LabelSpec, RegistrySpec
from slipway.harbor.spec.secret import SecretRef
from slipway.harbor.spec.system import BannerSpec, ConfigSpec
from tests.harbor_as_code.world import Place
from tests.verify.certificates import authority

_SECRET = "Harbor shows no secret: its fingerprint is compared, test_kinds.py"
_NAME = "it is the key: another name is another object"
_OURS = "a rule for us, nothing in Harbor"
_FIXED = "Harbor cannot change it: told, test_ownership.py"
_LIST = "a list of objects of their own"
EXEMPT = {
    ("ConfigSpec", "auth_mode"): "only changes while there is no user: below, and test_ownership.py",
    ("ConfigSpec", "oidc_client_secret"): _SECRET,
    ("ConfigSpec", "ldap_search_password"): _SECRET,
    ("ConfigSpec", "uaa_client_secret"): "Harbor shows this one: test_settings.py",
    ("CredentialSpec", "access_secret"): _SECRET,
    ("UserSpec", "password"): _SECRET,
    ("UserSpec", "username"): _NAME,
    ("LabelSpec", "name"): _NAME,
    ("RegistrySpec", "name"): _NAME,
    ("GroupSpec", "group_name"): _NAME,
    ("MemberUserSpec", "username"): _NAME,
    ("MemberGroupSpec", "group_name"): _NAME,
    ("RegistrySpec", "type"): _FIXED,
    ("GroupSpec", "group_type"): _FIXED,
    ("GroupSpec", "ldap_group_dn"): _FIXED,
    ("ProjectSettings", "registry"): _FIXED,
    ("MemberGroupSpec", "group_type"): "only for a group that Harbor has to make",
    ("MemberGroupSpec", "ldap_group_dn"): "only for a group that Harbor has to make",
    ("RegistrySpec", "credential"): "CredentialSpec",
    ("ProjectSettings", "metadata"): "MetadataSpec",
    ("ProjectSettings", "cve_allowlist"): "AllowlistSpec",
    ("ProjectSettings", "members"): _LIST,
    ("ProjectSettings", "labels"): _LIST,
    ("ProjectSettings", "robots"): _LIST,
    ("ProjectSettings", "webhooks"): _LIST,
    ("ProjectSettings", "preheat_policies"): _LIST,
    ("ProjectSettings", "immutable_tag_rules"): _LIST,
    ("ProjectSettings", "retention_policy"): "an object of its own",
    ("ProjectSettings", "scanner"): "needs a scanner: the scanners' own tests",
    ("ProjectSettings", "deletion_policy"): _OURS,
    ("CredentialSpec", "type"): "contract and Harbor keep basic unless the adapter knows another",
}
_RULES = {"adopt", "protect"}
#: Two values where the type alone does not say which fit.
VALUES: dict[tuple[str, str], tuple[Any, Any]] = {
    ("ConfigSpec", "audit_log_forward_endpoint"): ("one.example.com:514", "two.example.com:514"),
    ("ConfigSpec", "skip_audit_log_database"): (False, True),
    ("ConfigSpec", "storage_per_project"): ("5Gi", "unlimited"),
    ("ConfigSpec", "read_only"): (False, True),
    ("ConfigSpec", "quota_per_project_enable"): (True, False),
    ("ConfigSpec", "ldap_scope"): (1, 2),
    ("ConfigSpec", "ldap_group_search_scope"): (1, 2),
    ("BannerSpec", "from_date"): ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
    ("BannerSpec", "to_date"): ("2027-01-01", "2027-02-01"),
    ("UserSpec", "email"): ("one@example.com", "two@example.com"),
    ("LabelSpec", "color"): ("#111111", "#222222"),
    ("RegistrySpec", "url"): ("https://one.example.com", "https://two.example.com"),
    ("RegistrySpec", "ca_certificate"): (authority("one"), authority("two")),
    ("ProjectSettings", "storage_quota"): ("5Gi", "6Gi"),
    ("AllowlistSpec", "expires_at"): (1_900_000_000, 1_900_000_001),
}
#: Fields of a project that only a cache, or only what is none, has.
OF_A_CACHE = {"proxy_speed_kb", "max_upstream_conn", "proxy_cache_local_on_not_found"}


def values(model: type[BaseModel], name: str) -> tuple[Any, Any]:
    if (model.__name__, name) in VALUES:
        return VALUES[model.__name__, name]
    return by_type(model.model_fields[name].annotation)


def by_type(annotation: Any) -> tuple[Any, Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not SecretRef:
        whole = {name: values(annotation, name) for name in annotation.model_fields}
        return {name: pair[0] for name, pair in whole.items()}, {name: pair[1] for name, pair in whole.items()}
    simple = {bool: (True, False), int: (5, 7), str: ("one", "two")}
    if annotation in simple:
        return simple[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return inner[0], inner[1]
    if origin is list:
        one, two = by_type(inner[0])
        return [one, two], [two]
    if origin is dict:
        return {"key": "one"}, {"key": "two"}
    if origin in {types.UnionType, typing.Union, typing.Annotated}:
        return by_type(inner[0])
    raise AssertionError(f"no two values for {annotation}")


def fields(model: type[BaseModel]):
    return [name for name in model.model_fields if (model.__name__, name) not in EXEMPT and name not in _RULES]


def first(model, *left_out):
    return {name: values(model, name)[0] for name in fields(model) if name not in left_out}


PLAIN = {**first(ProjectSettings), "metadata": first(MetadataSpec, *OF_A_CACHE), "cve_allowlist": first(AllowlistSpec)}
CACHE = {"registry": "hub", "metadata": {name: values(MetadataSpec, name)[0] for name in OF_A_CACHE}}
MEMBERS = {
    "users": [{"username": "alice", **first(MemberUserSpec)}],
    "groups": [{"group_name": "devs", **first(MemberGroupSpec)}],
}
WHOLE = {
    "system": {"config": first(ConfigSpec), "cve_allowlist": first(AllowlistSpec)},
    "labels": [{"name": "x", **first(LabelSpec)}],
    "registries": [{"name": "hub", "type": "harbor", **first(RegistrySpec), "credential": first(CredentialSpec)}],
    "user_groups": [{"group_name": "devs", "group_type": "http"}],
    "users": [{"username": "alice", **first(UserSpec), "password": {"secretRef": {"env": "ALICE"}}}],
    "projects": {"plain": PLAIN | {"members": MEMBERS, "labels": [{"name": "y", **first(LabelSpec)}]}, "cache": CACHE},
}
#: Where each model stands in it, and which object the plan shows for it with which prefix of its fields.
PLACES = [
    (ConfigSpec, ("system", "config"), ()),
    (BannerSpec, ("system", "config", "banner_message"), ()),
    (AllowlistSpec, ("system", "cve_allowlist"), ()),
    (LabelSpec, ("labels", 0), ()),
    (RegistrySpec, ("registries", 0), ()),
    (CredentialSpec, ("registries", 0, "credential"), ()),
    (UserSpec, ("users", 0), ()),
    (ProjectSettings, ("projects", "plain"), ()),
    (MetadataSpec, ("projects", "plain", "metadata"), OF_A_CACHE),
    (MetadataSpec, ("projects", "cache", "metadata"), set(MetadataSpec.model_fields) - OF_A_CACHE),
    (AllowlistSpec, ("projects", "plain", "cve_allowlist"), ()),
    (MemberUserSpec, ("projects", "plain", "members", "users", 0), ()),
    (MemberGroupSpec, ("projects", "plain", "members", "groups", 0), ()),
    (LabelSpec, ("projects", "plain", "labels", 0), ()),
]
CASES = [
    pytest.param(model, place, name, id=".".join(map(str, (*place, name))))
    for model, place, left_out in PLACES
    for name in fields(model)
    if name not in left_out
]


def changed(place, name, value):
    """Give the whole with one field of another value."""
    data = copy.deepcopy(WHOLE)
    at = data
    for part in place:
        at = at[part]
    at[name] = value
    return yaml.safe_dump(data)


@pytest.fixture(scope="module")
def two(contract_server, tmp_path_factory):
    """One Harbor with the whole in it, and somebody else with another ledger who may change everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALICE", "Password1")
        contract_server.reset()
        here = Place(contract_server, tmp_path_factory.mktemp("here"))
        there = Place(contract_server, tmp_path_factory.mktemp("there"))
        text = yaml.safe_dump(WHOLE)
        assert here.apply(text).good
        assert here.plan(text).actions == []
        yield here, there, text


@pytest.mark.parametrize(("model", "place", "name"), CASES)
def test_a_change_of_the_field_is_seen_and_undone(two, model, place, name):
    here, there, text = two
    assert there.apply(changed(place, name, values(model, name)[1]), adopt=True).good
    [action] = here.plan(text).actions
    assert action.verb == "update"
    assert any(name in change.field or place[-1] == change.field for change in action.changes), action.changes
    assert here.apply(text).good
    plan = here.plan(text)
    assert (plan.actions, plan.problems) == ([], [])


def test_every_exemption_is_of_a_field_that_is_there():
    models = {model.__name__: model for model, _, _ in PLACES} | {"GroupSpec": GroupSpec}
    strange = [each for each in EXEMPT if each[1] not in models[each[0]].model_fields]
    # Those of kinds that other files declare may be absent.
    assert [each for each in strange if EXEMPT[each] not in {_LIST, "an object of its own"}] == []


def test_the_sign_in_is_seen_and_undone_while_there_is_no_user(place):
    text = "system: {config: {auth_mode: oidc_auth}}"
    assert place.apply(text).good
    place.api.configure(auth_mode="db_auth")
    assert [change.field for each in place.plan(text).actions for change in each.changes] == ["auth_mode"]
    assert place.apply(text).good
    assert place.plan(text).actions == []
