"""Quotas: a page of them is slow on a real Harbor, and a limit may lie below what is used."""

from tests.harbor.server.answers import Answer, bad, missing
from tests.harbor.server.call import Call
from tests.harbor.server.operations.projects import TEBIBYTE
from tests.harbor.server.routes import operation


def _show(call: Call, quota: dict, number: int) -> dict:
    project = call.harbor.state.get("project", number)
    return {**quota, "ref": {"id": number, "name": project["name"], "owner_name": project["owner_name"]}}


@operation("GET", "/quotas")
def list_quotas(call: Call) -> Answer:
    call.system("list", "quota")
    if call.query.get("reference") not in {None, "", "project"}:
        return call.listed("quota", extra=("0", []))
    where, values = ("key = ?", [call.query["reference_id"]]) if call.query.get("reference_id") else ("1", [])
    return call.listed("quota", extra=(where, values), show=lambda quota: _show(call, quota, _project(call, quota)))


def _project(call: Call, quota: dict) -> int:
    return call.harbor.state.project_of("quota", quota["id"])


@operation("GET", "/quotas/{id}")
def get_quota(call: Call) -> dict:
    call.system("read", "quota")
    quota = _found(call)
    return _show(call, quota, _project(call, quota))


@operation("PUT", "/quotas/{id}")
def update_quota(call: Call) -> None:
    call.system("update", "quota")
    hard = call.shaped({"hard": dict}).get("hard") or {}
    if not hard:
        raise bad("hard required in body")
    quota = _found(call)
    if set(hard) != {"storage"}:
        raise bad(f"resource {', '.join(sorted(set(hard) - {'storage'}))} not support")
    limit = hard["storage"]
    if not isinstance(limit, int) or limit == 0 or limit < -1 or limit > 1024 * TEBIBYTE:
        raise bad(f"invalid resource storage: {limit}")
    call.harbor.state.put("quota", quota["id"], {**quota, "hard": hard, "update_time": call.harbor.stamp()})


def _found(call: Call) -> dict:
    quota = call.harbor.state.get("quota", call.number("id"))
    if quota is None:
        raise missing(f"quota {call.parameters['id']} not found")
    return quota
