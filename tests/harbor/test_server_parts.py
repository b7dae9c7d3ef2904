"""Retention, immutability, webhooks, labels, registries, replication, scanners: each trap of a real Harbor."""

import http.server
import json
import threading

import pytest

SELECTOR = {"kind": "doublestar", "decoration": "matches", "pattern": "**"}
REPOSITORY = {"repository": [SELECTOR | {"decoration": "repoMatches"}]}


def rule(**changes):
    return {
        "action": "retain",
        "template": "latestPushedK",
        "params": {"latestPushedK": 10},
        "tag_selectors": [SELECTOR],
        "scope_selectors": REPOSITORY,
        **changes,
    }


def policy(*rules, cron="0 0 0 * * *", **changes):
    return {
        "algorithm": "or",
        "rules": list(rules) or [rule()],
        "trigger": {"kind": "Schedule", "settings": {"cron": cron}},
        "scope": {"level": "project", "ref": 1},
        **changes,
    }


# --- retention


def test_a_projects_metadata_names_its_retention(api):
    made = api.api("POST", "/retentions", policy())

    assert api.api("GET", "/projects/library").json["metadata"]["retention_id"] == str(made.id)
    assert api.api("POST", "/retentions", policy()).status == 400


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (policy(*[rule(params={"latestPushedK": number}) for number in range(16)]), 400),
        (policy(rule(), rule()), 409),
        (policy(cron="0 0 * * *"), 400),
        (policy(cron="5 0 0 * * *"), 400),
        ({key: value for key, value in policy().items() if key != "trigger"}, 500),
        (policy(scope={"level": "project", "ref": 99}), 400),
        (policy(rule(template="bogus", params={"latestPushedK": -1}), algorithm="and"), 201),
    ],
    ids=["16 rules", "twice", "5 fields", "seconds", "no trigger", "no project", "rubbish"],
)
def test_what_a_retention_may_be(api, sent, status):
    assert api.api("POST", "/retentions", sent).status == status


def test_a_retention_reads_back_with_more_and_less(api):
    number = api.api("POST", "/retentions", policy(rule(disabled=False))).id

    read = api.api("GET", f"/retentions/{number}").json
    assert "next_scheduled_time" in read["trigger"]["settings"]
    assert "disabled" not in read["rules"][0]

    api.api("PUT", f"/retentions/{number}", policy(cron=""))
    assert "next_scheduled_time" in api.api("GET", f"/retentions/{number}").json["trigger"]["settings"]


def test_a_deleted_retention_answers_500(api):
    number = api.api("POST", "/retentions", policy()).id

    assert api.api("DELETE", f"/retentions/{number}").status == 200
    assert "retention_id" not in api.api("GET", "/projects/library").json["metadata"]
    assert api.api("GET", f"/retentions/{number}").status == 500
    assert api.api("PUT", f"/retentions/{number}", policy()).status == 404


def test_deleting_the_metadata_key_leaves_the_policy_alive(api):
    number = api.api("POST", "/retentions", policy()).id

    assert api.api("DELETE", "/projects/library/metadatas/retention_id").status == 200

    assert api.api("GET", f"/retentions/{number}").status == 200
    assert api.api("POST", "/retentions", policy()).id != number


# --- immutable tags


def immutable(**changes):
    return rule(action="immutable", template="immutable_template", params={}, disabled=False, **changes)


RULES = "/projects/library/immutabletagrules"


def test_a_rule_is_made_enabled_whatever_was_sent(api):
    assert api.api("POST", RULES, immutable()).status == 201
    assert api.api("POST", RULES, immutable()).status == 409
    assert api.api("POST", RULES, immutable() | {"disabled": True}).status == 201
    assert [each["disabled"] for each in api.api("GET", RULES).json] == [False, False]
    assert api.api("POST", RULES, {}).status == 201


def test_one_put_switches_or_changes_never_both(api):
    number = api.api("POST", RULES, immutable()).id
    other = [SELECTOR | {"pattern": "v*"}]

    def put(**changes):
        return api.api("PUT", f"{RULES}/{number}", immutable() | {"id": number, **changes}).status

    def read():
        (found,) = api.api("GET", RULES).json
        return found["disabled"], found["tag_selectors"][0]["pattern"]

    assert put(id=77) == 400
    assert put(disabled=True, tag_selectors=other) == 200
    assert read() == (True, "**")
    assert put(disabled=True, tag_selectors=other) == 200
    assert read() == (True, "v*")


# --- webhooks

HOOKS = "/projects/library/webhook/policies"


def hook(**changes):
    target = {"type": "http", "address": "http://127.0.0.1:9/", "auth_header": "Bearer secret"}
    return {"name": "ci", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [target], **changes}


@pytest.mark.parametrize(
    "change",
    [
        {"event_types": []},
        {"event_types": ["PARTY"]},
        {"targets": []},
        {"targets": [{"type": "pigeon", "address": "x"}]},
        {"targets": [{"type": "slack", "address": "https://hooks.slack.com/x", "payload_format": "Default"}]},
        {"targets": [{"type": "http", "address": "x", "payload_format": "Telegram"}]},
    ],
)
def test_webhooks_that_it_refuses(api, change):
    assert api.api("POST", HOOKS, hook(**change)).status == 400


def test_a_webhook_tells_its_secret_and_an_update_replaces_it(api):
    number = api.api("POST", HOOKS, hook()).id
    assert api.api("POST", HOOKS, hook()).status == 409
    (read,) = api.api("GET", HOOKS).json
    assert (read["targets"][0]["auth_header"], read["targets"][0]["payload_format"]) == ("Bearer secret", "Default")

    bare = {
        "name": "ci",
        "event_types": ["PUSH_ARTIFACT"],
        "targets": [{"type": "http", "address": "http://127.0.0.1:9/"}],
    }
    assert api.api("PUT", f"{HOOKS}/{number}", bare).status == 200

    after = api.api("GET", f"{HOOKS}/{number}").json
    assert after["enabled"] is False
    assert "auth_header" not in after["targets"][0]
    assert after["creation_time"].startswith("0001-")
    assert after["update_time"] == read["update_time"]


# --- labels


def test_labels_are_replaced_and_hardly_checked(api):
    number = api.api("POST", "/labels", {"name": "stable", "color": "#00FF00", "description": "d", "scope": "g"}).id
    assert api.api("POST", "/labels", {"name": "stable", "scope": "g"}).status == 409
    assert api.api("POST", "/labels", {"name": "", "scope": "g"}).status == 201
    assert api.api("POST", "/labels", {"name": "lost", "scope": "p", "project_id": 99}).status == 201
    assert api.api("GET", "/labels").status == 400
    assert api.api("GET", "/labels", scope="p").status == 400

    api.api("PUT", f"/labels/{number}", {"name": "stable", "scope": "p"})

    read = api.api("GET", f"/labels/{number}").json
    assert (read["color"], read["description"], read["scope"]) == ("", "", "g")


# --- registries and replication


def registry(**changes):
    credential = {"type": "basic", "access_key": "acme", "access_secret": "hush"}
    return {"name": "hub", "type": "docker-hub", "url": "https://hub.docker.com/", "credential": credential, **changes}


def test_registries_are_pinged_trimmed_and_keep_their_secret(api):
    assert (
        api.api("POST", "/registries", registry(url="https://registry.invalid")).message == "the registry is unhealthy"
    )
    assert api.api("POST", "/registries", registry(url="http://127.0.0.1:9")).status == 400
    assert api.api("POST", "/registries", registry(type="cupboard")).status == 500
    number = api.api("POST", "/registries", registry()).id
    assert api.api("POST", "/registries", registry()).status == 409

    read = api.api("GET", f"/registries/{number}").json
    assert (read["url"], read["credential"]["access_secret"]) == ("https://hub.docker.com", "*****")
    assert api.api("PUT", f"/registries/{number}", {"url": "hub.docker.com", "name": "dock"}).status == 200
    after = api.api("GET", f"/registries/{number}").json
    assert (after["url"], after["name"], after["type"]) == ("http://hub.docker.com", "dock", "docker-hub")


@pytest.fixture
def hub(api):
    return api.api("POST", "/registries", registry()).id


def replication(hub, **changes):
    return {"name": "in", "src_registry": {"id": hub}, "trigger": {"type": "manual"}, "enabled": True, **changes}


def test_a_registry_in_use_stays(api, hub):
    api.api("POST", "/replication/policies", replication(hub))

    assert api.api("DELETE", f"/registries/{hub}").status == 412
    assert api.api("DELETE", "/replication/policies/1").status == 200
    assert api.api("DELETE", f"/registries/{hub}").status == 200


def scheduled(cron):
    return {"type": "scheduled", "trigger_settings": {"cron": cron}}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"trigger": scheduled("0 * * * * *")}, 400),
        ({"trigger": scheduled("1 0 * * * *")}, 400),
        ({"trigger": scheduled("0 0 * * *")}, 400),
        ({"trigger": {"type": "event_based"}, "single_active_replication": True}, 500),
        ({"trigger": {"type": "event_based"}}, 201),
        ({"dest_registry": {"id": 1}}, 400),
        ({"src_registry": {"id": 99}}, 404),
        ({"filters": [{"type": "colour", "value": "red"}]}, 400),
        ({"name": ""}, 400),
    ],
)
def test_what_a_replication_may_be(api, hub, change, status):
    assert api.api("POST", "/replication/policies", replication(hub, **change)).status == status


def test_a_replication_reads_back_normalised(api, hub):
    number = api.api("POST", "/replication/policies", replication(hub, speed=-1, replicate_deletion=True)).id

    read = api.api("GET", f"/replication/policies/{number}").json
    assert (read["speed"], read["dest_namespace_replace_count"]) == (0, -1)
    assert not {"deletion", "replicate_deletion"} & read.keys()

    api.api("PUT", f"/replication/policies/{number}", replication(hub, deletion=True))
    assert api.api("GET", f"/replication/policies/{number}").json["deletion"] is True


# --- scanners


@pytest.fixture
def adapter():
    class Adapter(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({}).encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Adapter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_scanners_are_pinged_and_never_tell_their_credential(api, adapter):
    sent = {"name": "mine", "url": adapter, "auth": "Bearer", "access_credential": "hush"}
    assert api.api("POST", "/scanners", sent | {"url": "http://127.0.0.1:9"}).status == 500
    assert api.api("POST", "/scanners", sent | {"name": "Trivy"}).status == 400
    made = api.api("POST", "/scanners", sent)
    assert made.status == 201
    again = api.api("POST", "/scanners", sent)
    assert (again.status, again.json["errors"][0]["code"]) == (409, "UNKNOWN")

    path = f"/scanners/{made.headers['location'].rpartition('/')[2]}"
    assert api.api("GET", path).json["access_credential"] == ""
    assert api.api("PUT", path, {"name": "mine", "url": adapter}).status == 200
    assert api.api("GET", path).json["auth"] == ""
    gone = api.api("DELETE", path)
    assert (gone.status, gone.json["name"]) == (200, "mine")


def test_a_projects_scanner_may_be_any_uuid(api):
    assert api.api("PUT", "/projects/library/scanner", {"uuid": "no-such-thing"}).status == 200
    assert api.api("GET", "/projects/library/scanner").json["name"] == "Trivy"
