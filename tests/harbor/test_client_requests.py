"""The requests: each kind made, read back, changed and deleted against the server, and what the client itself refuses."""

import asyncio

import pytest
from pydantic import SecretStr

from infra.errors import FeatureMissing, InputRefused, ListMoved, NothingThere
from slipway.harbor.client.api import (
    artifacts,
    configuration,
    immutable,
    labels,
    members,
    people,
    preheat,
    projects,
    quotas,
    registries,
    replication,
    retentions,
    robots,
    scanners,
    schedules,
    system,
    webhooks,
)
from slipway.harbor.client.features import lacking, version_of
from slipway.harbor.client.models import (
    Access,
    AllowedCve,
    Allowlist,
    Credential,
    Group,
    Label,
    MemberGroup,
    MemberReq,
    MemberUser,
    Password,
    Permission,
    PreheatInstance,
    ProjectMetadata,
    ProjectReq,
    Registry,
    RegistryId,
    RegistryPing,
    RegistryUpdate,
    ReplicationPolicy,
    RetentionPolicy,
    RobotCreate,
    Rule,
    Schedule,
    ScheduleTime,
    Scope,
    Selector,
    Settings,
    Trigger,
    UserProfile,
    UserReq,
    Webhook,
    WebhookTarget,
)
from tests.harbor.clients import run
from tests.harbor.test_server_registry import Pusher

ANY = Selector(decoration="matches", pattern="**")
RULE = Rule(
    template="latestPushedK",
    params={"latestPushedK": 10},
    tag_selectors=[ANY],
    scope_selectors={"repository": [Selector(decoration="repoMatches", pattern="**")]},
)
PULL = Permission(kind="project", namespace="library", access=[Access(resource="repository", action="pull")])


def play(api, act):
    return run(api, act)


def test_a_project_with_all_its_parts(api):
    async def act(client):
        made = await client.send(projects.create(ProjectReq(project_name="123", storage_limit=1 << 30)))
        change = ProjectReq(
            metadata=ProjectMetadata(auto_scan="true"), cve_allowlist=Allowlist(items=[AllowedCve(cve_id="CVE-1")])
        )
        await client.send(projects.update("123", change))
        await client.send(projects.add_metadata("123", "severity", "high"))
        await client.send(projects.reset_metadata("123", "auto_scan"))
        read = await client.send(projects.get("123"))  # a name of digits, not an id
        (quota,) = await client.all(quotas.of_project(made.number))
        await client.send(quotas.update(quota.id, -1))
        deletable = await client.send(projects.deletable("123"))
        scanner = await client.send(projects.scanner("123"))
        await client.send(projects.set_scanner("123", scanner.uuid))
        await client.send(projects.delete("123"))
        return read, quota, deletable, await client.all(projects.named(["123", "library"]))

    read, quota, deletable, left = play(api, act)

    assert read.metadata.model_dump(exclude_none=True) == {"public": "false", "severity": "high"}
    assert [each.cve_id for each in read.cve_allowlist.items] == ["CVE-1"]
    assert (quota.hard, deletable.deletable) == ({"storage": 1 << 30}, True)
    assert [each.name for each in left] == ["library"]


def test_members_labels_and_groups(api):
    async def act(client):
        user = await client.send(
            people.create_user(
                UserReq(username="alice", email="a@b.c", realname="Alice", password=SecretStr("Password1"))
            )
        )
        group = await client.send(people.create_group(Group(group_name="dev", group_type=3)))
        await client.send(members.add("library", MemberReq(role_id=2, member_user=MemberUser(username="alice"))))
        await client.send(members.add("library", MemberReq(role_id=3, member_group=MemberGroup(id=group.number))))
        found = {each.entity_name: each for each in await client.all(members.of("library"))}
        await client.send(members.change("library", found["alice"].id, 4))
        await client.send(members.remove("library", found["dev"].id))
        label = await client.send(labels.create(Label(name="hot", scope="p", project_id=1)))
        await client.send(labels.update(label.number, Label(name="hotter", scope="p", project_id=1)))
        await client.send(people.update_user(user.number, UserProfile(email="a@b.d", realname="A")))
        await client.send(people.set_administrator(user.number, administrator=True))
        return (
            await client.all(members.of("library")),
            await client.all(labels.of_project(1)),
            await client.all(people.users()),
        )

    found, kept, users = play(api, act)

    assert {each.entity_name: each.role_name for each in found} == {"admin": "projectAdmin", "alice": "maintainer"}
    assert [each.name for each in kept] == ["hotter"]
    assert [(each.username, each.sysadmin_flag) for each in users] == [("alice", True)]


def test_the_administrators_password(api):
    change = Password(old_password=SecretStr("Harbor12345"), new_password=SecretStr("Password1"))

    play(api, lambda client: client.send(people.set_password(1, change)))

    assert api.api("GET", "/users", auth=("admin", "Password1")).status == 200


def test_robots_of_both_levels(api):
    async def act(client):
        made = await client.send(
            robots.create(RobotCreate(name="ci", level="project", duration=30, permissions=[PULL]))
        )
        await client.send(robots.create(RobotCreate(name="bot", level="system", duration=-1, permissions=[PULL])))
        robot = await client.send(robots.get(made.id))
        await client.send(robots.update(robot.model_copy(update={"duration": 60, "disable": True})))
        await client.send(robots.refresh(made.id, "Chosen1234"))
        fresh = await client.send(robots.refresh(made.id))
        changed = (await client.all(robots.of_project(1)))[0]
        await client.send(robots.delete(made.id))
        return robot, changed, fresh, await client.all(robots.of_system())

    robot, changed, fresh, system_robots = play(api, act)

    assert (robot.name, changed.duration, changed.disable) == ("robot$library+ci", 60, True)
    assert changed.expires_at - robot.expires_at == 30 * 86400
    assert len(fresh.secret.get_secret_value()) == 32
    assert [each.name for each in system_robots] == ["robot$bot"]


def test_retention_immutability_and_webhooks(api):
    policy = RetentionPolicy(rules=[RULE], trigger=Trigger(settings={"cron": "0 0 0 * * *"}), scope=Scope(ref=1))
    target = WebhookTarget(address="http://127.0.0.1:9/", auth_header=SecretStr("Bearer hush"))

    async def act(client):
        made = await client.send(retentions.create(policy))
        read = await client.send(retentions.get(made.number))
        await client.send(retentions.update(made.number, read))
        await client.send(retentions.delete(made.number))
        await client.send(immutable.create("library", RULE.model_copy(update={"action": "immutable"})))
        (rule,) = await client.all(immutable.of("library"))
        await client.send(immutable.update("library", rule.model_copy(update={"disabled": True})))
        (switched,) = await client.all(immutable.of("library"))
        await client.send(immutable.delete("library", rule.id))
        hook = await client.send(
            webhooks.create("library", Webhook(name="ci", event_types=["PUSH_ARTIFACT"], targets=[target]))
        )
        (read_hook,) = await client.all(webhooks.of("library"))
        await client.send(webhooks.update("library", hook.number, read_hook))
        (again,) = await client.all(webhooks.of("library"))
        await client.send(webhooks.delete("library", hook.number))
        return read, switched, read_hook, again

    read, switched, hook, again = play(api, act)

    assert read.rules[0].template == "latestPushedK"
    assert switched.disabled is True
    assert hook.targets[0].auth_header.get_secret_value() == "Bearer hush"
    assert again.targets == hook.targets
    assert "hush" not in repr(hook) + hook.model_dump_json()


def test_registries_replication_and_scanners(api):
    async def act(client):
        hub = await client.send(
            registries.create(
                Registry(
                    name="hub",
                    type="docker-hub",
                    url="https://hub.docker.com",
                    credential=Credential(access_key="acme", access_secret=SecretStr("hush")),
                )
            )
        )
        await client.send(registries.update(hub.number, RegistryUpdate(description="Docker")))
        read = await client.send(registries.get(hub.number))
        await client.send(registries.ping(RegistryPing(id=read.id)))
        await client.send(registries.ping(RegistryPing(type="quay", url="https://quay.io")))
        source = RegistryId(id=hub.number)
        rule = await client.send(replication.create(ReplicationPolicy(name="in", src_registry=source, enabled=True)))
        run_ = await client.send(replication.start(rule.number))
        one = await client.send(replication.run(run_.number))
        kept = await client.send(replication.get(rule.number))
        await client.send(replication.update(rule.number, kept.model_copy(update={"enabled": False})))
        off = (await client.all(replication.every()))[0]
        await client.send(replication.delete(rule.number))
        await client.send(registries.delete(hub.number))
        (trivy,) = await client.all(scanners.every())
        await client.send(scanners.make_default(trivy.uuid))
        return read, one, off, await client.send(registries.types())

    read, one, off, types = play(api, act)

    assert (read.description, read.credential.access_secret.get_secret_value()) == ("Docker", "*****")
    assert one.status == "Succeed"
    assert off.enabled is False
    assert "aws-ecr" in types


def test_system_settings_schedules_and_jobs(api):
    daily = ScheduleTime(type="Daily", cron="0 0 0 * * *")
    audit = {"audit_retention_hour": 24, "include_event_types": "create_artifact"}

    async def act(client):
        assert await client.send(schedules.gc()) is None
        assert await client.send(schedules.scan_all()) is None
        await client.send(schedules.set_gc(Schedule(schedule=daily, parameters={"workers": 2})))
        await client.send(schedules.set_purge(Schedule(schedule=daily, parameters=audit)))
        await client.send(schedules.set_scan_all(Schedule(schedule=daily)))
        run_ = await client.send(schedules.run_gc(dry_run=True))
        assert "success" in await client.send(schedules.gc_log(run_.number))
        change = Settings.model_validate({"session_timeout": 120, "oidc_client_secret": "hush"})
        await client.send(configuration.update(change))
        await client.send(configuration.set_allowlist(Allowlist(items=[AllowedCve(cve_id="CVE-1")], expires_at=1)))
        return (
            await client.send(schedules.gc()),
            await client.send(schedules.purge()),
            await client.send(schedules.scan_all()),
            await client.send(configuration.get()),
            await client.send(configuration.allowlist()),
            await client.send(system.pools()),
            await client.send(system.queues()),
            await client.send(system.schedules_paused()),
            await client.send(system.statistics()),
            await client.all(schedules.every()),
            await client.all(system.audit()),
            await client.all(schedules.gc_runs()),
        )

    gc, purge, scan, settings, allowed, pools, queues, paused, statistics, every, audit_log, runs = play(api, act)

    assert '"workers": 2' in gc.job_parameters
    assert purge.schedule.cron == scan.schedule.cron == "0 0 0 * * *"
    assert settings["session_timeout"].value == 120
    assert (allowed.items[0].cve_id, allowed.expires_at) == ("CVE-1", 1)
    assert (len(pools), statistics.total_project_count, paused.paused, len(every), len(runs)) == (1, 1, False, 3, 1)
    assert not any(queue.paused for queue in queues)
    assert audit_log[0].operation == "update"


def test_artifacts_scans_and_logs(harbor):
    Pusher(harbor, "library/team/app").image("v1")

    async def act(client):
        name = ("library", "team/app", "v1")
        (repository,) = await client.all(artifacts.repositories("library"))
        await client.send(artifacts.scan(*name))
        await client.send(artifacts.scan(*name, kind="sbom"))
        for _ in range(100):
            found = await client.send(artifacts.get(*name, scan=True, sbom=True))
            if found.report.scan_status == "Success" and found.sbom_overview.scan_status == "Success":
                break
            await asyncio.sleep(0.01)
        log = await client.send(artifacts.scan_log(*name, found.report.report_id))
        await client.send(artifacts.add_tag(*name, "stable"))
        tags = await client.all(artifacts.tags(*name))
        about = await client.all(artifacts.accessories(*name))
        vulnerabilities = await client.send(artifacts.vulnerabilities(*name))
        (listed,) = await client.all(artifacts.of("library", "team/app"))
        await client.send(artifacts.delete(*name))
        await client.send(artifacts.delete_repository("library", "team/app"))
        return repository, found, log, tags, about, vulnerabilities, listed

    repository, found, log, tags, about, vulnerabilities, listed = play(harbor, act)

    assert repository.name == "library/team/app"
    assert found.report.severity == "None"
    assert "Success" in log
    assert {tag.name for tag in tags} == {"v1", "stable"}
    assert [each.type for each in about] == ["sbom.harbor"]
    assert len(vulnerabilities) == 1
    assert listed.digest == found.digest


# --- lists


@pytest.mark.parametrize("count", [0, 99, 100, 250])
def test_whole_lists_come_in_order_and_with_few_requests(api, count):
    api.seed(count)
    api.clear_counts()

    found = play(api, lambda client: client.all(projects.every()))

    assert [each.project_id for each in found] == list(range(1, count + 2))
    assert api.counts()["list_projects"] == -(-(count + 1) // 100)


def test_a_filter_that_harbor_ignores_is_seen(api):
    """An older or newer Harbor that does not know the key gives the whole list."""
    from dataclasses import replace

    api.seed(3)
    pages = projects.named(["library"])
    deaf = replace(pages, first=replace(pages.first, query={"q": "colour=red"}))

    assert [each.name for each in play(api, lambda client: client.all(deaf))] == ["library"]


def test_a_list_that_moves_once_is_read_again_and_one_that_always_moves_is_told(api):
    api.seed(150)

    def moving(times, first):
        async def act(client):
            send, seen = client.send, []

            async def sent(request):
                page = await send(request)
                if request.what == "list projects" and request.query["page"] == 1 and len(seen) < times:
                    seen.append(1)
                    await asyncio.to_thread(api.api, "DELETE", f"/projects/{first + len(seen)}")
                return page

            client.send = sent
            return await client.all(projects.every())

        return act

    assert len(play(api, moving(1, 10))) == 150
    with pytest.raises(ListMoved, match="3 times over"):
        play(api, moving(9, 20))


def test_a_thousand_jobs_are_taken_as_they_are_needed(api):
    taken = []

    def jobs():
        for number in range(1000):
            taken.append(number)
            yield system.health()

    async def act(client):
        many = asyncio.ensure_future(client.each(jobs()))
        await asyncio.sleep(0.02)
        early = len(taken)
        await many
        return early

    assert play(api, act) < 1000
    assert len(taken) == 1000


def test_what_is_missing_is_told(api):
    with pytest.raises(NothingThere, match="read project nothing: project nothing not found"):
        play(api, lambda client: client.send(projects.get("nothing")))


# --- what is refused before it is sent


def test_a_field_that_this_harbor_would_drop_is_refused(api):
    api.switch(version="v2.14.0-abc")
    metadata = ProjectMetadata(max_upstream_conn="20", proxy_cache_local_on_not_found="true", auto_scan="true")

    with pytest.raises(FeatureMissing) as caught:
        play(api, lambda client: client.send(projects.create(ProjectReq(project_name="x", metadata=metadata))))

    assert [each.what for each in caught.value.problems] == [
        "create project x: max_upstream_conn needs Harbor 2.14.1; this is 2.14.0",
        "create project x: proxy_cache_local_on_not_found needs Harbor 2.15.1; this is 2.14.0",
    ]
    assert "create_project" not in api.counts()


@pytest.mark.parametrize(
    ("body", "version", "fields"),
    [
        (Registry(name="x", ca_certificate="pem"), (2, 14, 4), ["ca_certificate"]),
        (Registry(name="x", ca_certificate="pem"), (2, 15, 0), []),
        (ReplicationPolicy(name="x", single_active_replication=True), (2, 13, 5), ["single_active_replication"]),
        (ReplicationPolicy(name="x"), (2, 13, 5), []),
        (ProjectReq(project_name="x", metadata=ProjectMetadata(auto_scan="true")), (2, 13, 0), []),
    ],
)
def test_which_harbor_has_which_field(body, version, fields):
    assert [each.field for each in lacking(body, version)] == fields


def test_versions_are_read():
    assert version_of("v2.15.2-080b0220") == (2, 15, 2)
    assert version_of("dev") == (2, 15, 2)


def test_traps_are_refused_here():
    with pytest.raises(ValueError, match="role 77 does not exist"):
        members.change("library", 1, 77)
    with pytest.raises(ValueError, match="retention policy"):
        projects.reset_metadata("library", "retention_id")


def test_unknown_fields_are_kept_on_the_way_round():
    from slipway.harbor.client.models import Robot

    robot = Robot.model_validate({"id": 1, "name": "robot$x", "colour": "red"})

    assert b'"colour":"red"' in robots.update(robot).body.wire()


def test_a_secret_twice_is_the_same_and_one_that_harbor_makes_is_not():
    assert robots.refresh(1, "Chosen1234").safe_to_repeat
    assert not robots.refresh(1).safe_to_repeat
    assert not people.set_password(1, Password(new_password=SecretStr("x"))).safe_to_repeat
    assert not labels.create(Label(name="x")).safe_to_repeat


def test_the_credential_of_a_preheat_instance_is_in_the_request_and_in_no_error(api):
    body = PreheatInstance(
        name="-", vendor="kraken", endpoint="https://x.example.com", auth_info={"harbor": SecretStr("hush-hush")}
    )
    assert b"hush-hush" in body.wire()
    assert "hush" not in repr(body) + body.model_dump_json()
    assert list(body.secrets()) == ["hush-hush"]
    api.fault("status", operation="create_preheat_instance", status=400, message="no hush-hush here")
    with pytest.raises(InputRefused) as caught:
        play(api, lambda client: client.send(preheat.create_instance(body)))
    assert "hush" not in str(caught.value)
