"""The audit log: Harbor writes down fourteen kinds of events, and no others."""

from tests.harbor.server.call import Call


def note(call: Call, operation: str, resource_type: str, resource: str) -> None:
    state = call.harbor.state
    if f"{operation}_{resource_type}" in str(call.harbor.setting("disabled_audit_log_event_types")).split(","):
        return
    state.add(
        "audit",
        {
            "username": call.who.name,
            "resource": resource,
            "resource_type": resource_type,
            "operation": operation,
            "operation_description": f"{operation} {resource_type}: {resource}",
            "operation_result": True,
            "op_time": call.harbor.stamp(),
        },
    )
