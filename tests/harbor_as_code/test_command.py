"""The commands as processes: exit codes, plan files, JSON, drift with webhook and metrics."""

import http.server
import json
import threading

import pytest

from slipway.harbor.drift import Report, write_metrics
from slipway.harbor.plan import Plan
from tests.harbor_as_code.command import command

TEXT = "labels: [{name: approved, color: '#00AB9A'}]\nprojects: {payments: {storage_quota: 5Gi}}\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "harbor.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def hook():
    """An address that keeps what is posted to it."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/T0", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_plan_apply_plan(api, file):
    seen = command(api, "plan", "test", "-f", str(file))
    assert seen.returncode == 2
    assert seen.stdout.splitlines() == [
        "+ label approved",
        "    color: #00AB9A",
        "+ project payments",
        "    storage_quota: 5Gi",
        "2 to make; 0 as declared",
    ]
    refused = command(api, "apply", "test", "-f", str(file))
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (1, "error: apply: there is nobody to ask")
    done = command(api, "apply", "test", "-f", str(file), "--yes", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert [(each["key"], each["state"]) for each in json.loads(done.stdout)["outcomes"]] == [
        ("approved", "done"),
        ("payments", "done"),
    ]
    same = command(api, "plan", "test", "-f", str(file), "--output", "json")
    assert (same.returncode, json.loads(same.stdout)["same"]) == (0, 2)


def test_a_plan_file_is_done_once_and_refused_when_anything_moved(api, file, tmp_path):
    out = tmp_path / "plan.json"
    assert command(api, "plan", "test", "-f", str(file), "--out", str(out)).returncode == 2
    assert api.password not in out.read_text()
    api.api("POST", "/labels", {"name": "approved", "scope": "g", "color": "#00AB9A"})
    moved = command(api, "apply", "test", "-f", str(file), "--plan", str(out))
    assert moved.returncode == 1
    assert "label approved: what is to be changed is something else by now" in moved.stderr
    assert api.api("GET", "/projects/payments", headers={"X-Is-Resource-Name": "true"}).status == 404
    api.api("DELETE", "/labels/1")
    done = command(api, "apply", "test", "-f", str(file), "--plan", str(out))
    assert done.returncode == 0, done.stderr
    again = command(api, "apply", "test", "-f", str(file), "--plan", str(out))
    assert (again.returncode, "needs no create any more" in again.stderr) == (1, True)
    file.write_text(TEXT.replace("5Gi", "6Gi"))
    other = command(api, "apply", "test", "-f", str(file), "--plan", str(out))
    assert "harbor.yaml says something else than when the plan was made" in other.stderr


def test_a_file_that_is_no_plan_is_refused(api, file, tmp_path):
    (tmp_path / "x").write_text("[]")
    done = command(api, "apply", "test", "-f", str(file), "--plan", str(tmp_path / "x"))
    assert (done.returncode, "is no plan file of this Slipway" in done.stderr) == (1, True)


def test_what_stands_in_the_way_is_exit_code_1_with_its_place(api, file):
    api.api("POST", "/labels", {"name": "approved", "scope": "g", "color": "#000000"})
    done = command(api, "plan", "test", "-f", str(file))
    assert done.returncode == 1
    assert f"error: {file}:1 labels.0: label approved is there already and is not ours" in done.stderr
    refused = command(api, "apply", "test", "-f", str(file), "--yes")
    assert refused.returncode == 1
    assert len(api.api("GET", "/projects").json) == 1, "nothing was done"


def test_errors_of_settings_are_exit_code_1_not_2(api, file):
    file.write_text("label: []")
    done = command(api, "plan", "test", "-f", str(file))
    assert (done.returncode, "did you mean 'labels'?" in done.stderr) == (1, True)
    file.write_text(TEXT)
    wrong = command(api, "plan", "test", "-f", str(file), SLIPWAY_HARBOR_PASSWORD="wrong")
    assert (wrong.returncode, "admin cannot log in" in wrong.stderr) == (1, True)


def test_drift_is_told_to_a_webhook_and_as_a_metric(api, file, tmp_path, hook):
    url, got = hook
    metrics = tmp_path / "harbor.prom"
    arguments = ("drift", "test", "-f", str(file), "--notify", url, "--metrics", str(metrics))
    assert command(api, "apply", "test", "-f", str(file), "--yes").returncode == 0
    before = (tmp_path / "harbor.ledger.json").read_text()
    quiet = command(api, *arguments, "--output", "json")
    assert (quiet.returncode, got) == (0, [])
    assert json.loads(quiet.stdout)["text"].endswith(" is as declared")
    assert 'slipway_harbor_drift{environment="test",verb="update"} 0' in metrics.read_text()
    api.api("PUT", "/labels/1", {"name": "approved", "scope": "g", "color": "#000000"})
    drifted = command(api, *arguments)
    assert (drifted.returncode, drifted.stderr) == (2, "")
    assert got[0]["objects"] == ["update label approved"]
    assert "not as declared, 1 difference:" in got[0]["text"]
    assert 'slipway_harbor_drift{environment="test",verb="update"} 1' in metrics.read_text()
    assert (tmp_path / "harbor.ledger.json").read_text() == before


def test_that_drift_could_not_be_told_is_told_as_well(api, file, tmp_path, hook):
    url, got = hook
    metrics = tmp_path / "harbor.prom"
    arguments = ("drift", "test", "-f", str(file), "--notify", url, "--metrics", str(metrics))
    done = command(api, *arguments, SLIPWAY_HARBOR_PASSWORD="wrong")
    assert done.returncode == 1
    assert "admin cannot log in" in got[0]["error"]
    assert 'slipway_harbor_drift_known{environment="test"} 0' in metrics.read_text()


def test_a_report_that_nobody_takes_is_exit_code_1_and_does_not_show_the_address(api, file):
    done = command(api, "drift", "test", "-f", str(file), "--notify", "http://127.0.0.1:9/s3cret-token")
    assert done.returncode == 1
    assert "127.0.0.1 did not take the report" in done.stderr
    assert "s3cret-token" not in done.stderr
    assert "+ label approved" in done.stdout  # what was found is not lost with it


def test_why_drift_could_not_be_told_is_shown_where_nobody_takes_the_report_either(api, file):
    arguments = ("drift", "test", "-f", str(file), "--notify", "http://127.0.0.1:9/s3cret-token")
    done = command(api, *arguments, SLIPWAY_HARBOR_PASSWORD="wrong")
    assert done.returncode == 1
    assert "admin cannot log in" in done.stderr
    assert "did not take the report" in done.stderr


def test_the_metric_counts_what_stands_in_the_way_and_not_what_is_only_to_be_noted(api, file, tmp_path):
    metrics = tmp_path / "harbor.prom"
    assert command(api, "apply", "test", "-f", str(file), "--yes").returncode == 0
    (tmp_path / "harbor.ledger.json").unlink()
    assert command(api, "drift", "test", "-f", str(file), "--metrics", str(metrics)).returncode == 0
    assert 'verb="adopt"} 0' in metrics.read_text()
    file.write_text(TEXT.replace("5Gi", "6Gi"))
    assert command(api, "drift", "test", "-f", str(file), "--metrics", str(metrics)).returncode == 2
    assert 'verb="blocked"} 1' in metrics.read_text()


def test_the_report_says_what_was_not_looked_at(tmp_path):
    report = Report.of(Plan(unread=["config"]), environment="test", url="https://registry.example.com")
    assert (report.drifted, report.as_data()["notRead"]) == (False, ["config"])
    write_metrics(tmp_path / "harbor.prom", report, now=0)
    assert 'slipway_harbor_drift_unread_kinds{environment="test"} 1' in (tmp_path / "harbor.prom").read_text()
