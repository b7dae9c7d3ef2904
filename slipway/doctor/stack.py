"""The stack: settings that are usable, versions in support, values that fit the chart, rules that hold."""

from datetime import UTC, datetime

from slipway.doctor.check import Check, Failed, Warned
from slipway.doctor.scene import Scene


def settings(scene: Scene) -> str:
    """Read the stack file, with every problem at once."""
    found = scene.settings
    return f"profile {found.profile}, {found.region}, https://{found.domain}"


def support(scene: Scene) -> str:
    """Hold the versions against the tables of this day."""
    from infra.support import ending_support  # noqa: PLC0415

    if told := ending_support(scene.settings, datetime.now(UTC).date()):
        raise Warned("\n".join(told))
    return f"Kubernetes {scene.settings.kubernetes_version}, PostgreSQL {scene.settings.database.postgres_version}"


def contract(scene: Scene) -> str:
    """Render everything, with made-up facts where AWS has not answered yet."""
    from infra.assemble import example  # noqa: PLC0415
    from infra.delivery.inputs import read_inside, read_overrides  # noqa: PLC0415
    from slipway.rendering import files_of  # noqa: PLC0415

    overrides = read_overrides(scene.root, scene.environment)
    inside = read_inside(scene.root, scene.environment)
    files = files_of(example(scene.settings), overrides, inside, manifests=False, progress=lambda _: None)
    own = f", with your own {', '.join(overrides)}" if overrides else ""
    return f"{len(files)} files fit chart {scene.settings.chart_version}{own}"


def rules(scene: Scene) -> str:
    """Judge as `slipway check` does."""
    from slipway.check import check  # noqa: PLC0415

    found = check(scene.root, scene.environment)
    violated = [one for one in found.verdicts if one.state == "violated"]
    lines = [f"{one.rule.id} ({one.rule.severity}): {one.subject}" for one in violated]
    fixes = "\n".join(dict.fromkeys(f"{one.rule.id}: {one.rule.fix}" for one in violated))
    if any(one.rule.severity == "mandatory" for one in violated):
        raise Failed("\n".join(lines), fixes)
    if lines:
        raise Warned("\n".join(lines), fixes)
    undecided = sum(one.state == "not decided" for one in found.verdicts)
    waived = sum(one.state == "waived" for one in found.verdicts)
    counts = {"waived": waived, "not decided before `pulumi up`": undecided}
    return ", ".join([f"{len(found.verdicts)} verdicts", *(f"{n} {what}" for what, n in counts.items() if n)])


def waivers(scene: Scene) -> str:
    """Read the waivers, which also the rules go by."""
    from policy.rules import RULES  # noqa: PLC0415
    from policy.waivers import waivers_of  # noqa: PLC0415

    today = datetime.now(UTC).date()
    found = waivers_of(scene.root, scene.environment, [rule.id for rule in RULES])
    if ended := [f"the waiver of {one.rule} ended on {one.until}" for one in found if one.until < today]:
        raise Warned("\n".join(ended))
    return f"{len(found)} in force" if found else "none"


CHECKS = (
    Check(
        id="stack.settings",
        shows="the stack file and what it shares are usable settings",
        fix="correct the file; docs/settings.md has every key",
        do=settings,
    ),
    Check(
        id="stack.support",
        shows="AWS supports the chosen versions for three months and more",
        fix="raise the version in the stack file",
        do=support,
        needs=("stack.settings",),
    ),
    Check(
        id="stack.contract",
        shows="the rendered values, the team's own among them, fit the chart's version",
        fix="correct the values below stacks/ENV/values; docs/overrides.md",
        do=contract,
        needs=("stack.settings",),
        seconds=40,
    ),
    Check(
        id="stack.waivers",
        shows="every waiver is usable and in force",
        fix="renew it in stacks/ENV/waivers.yaml with a reason, or take it out",
        do=waivers,
        needs=("stack.settings",),
    ),
    Check(
        id="stack.rules",
        shows="no policy rule is violated by what `pulumi up` would register",
        fix="slipway check ENV tells more",
        do=rules,
        needs=("stack.settings", "stack.waivers"),
        seconds=120,
    ),
)
