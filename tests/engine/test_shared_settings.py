"""What stacks share, on the real engine: required settings that stand in no stack file reach the program."""

import yaml


def test_the_program_runs_with_what_the_stacks_share(project):
    path = project.root / "stacks" / "Pulumi.dev.yaml"
    document = yaml.safe_load(path.read_text())
    shared = {name: document["config"].pop(f"slipway:{name}") for name in ("region", "profile", "gitops")}
    (project.root / "stacks" / "defaults.yaml").write_text(yaml.safe_dump({**shared, "owner": "everybody"}))
    path.write_text(yaml.safe_dump(document))

    assert project.rehearse("dev")["commit"]["id"]

    events = (project.root / ".slipway/rehearse/dev/preview.events").read_text()
    assert '"Owner":"everybody"' in events
    assert "slipway-dev" in events
