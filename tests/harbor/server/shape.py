"""Types of a request's body: what Harbor's generated code refuses before any handler runs.

check(body, {"project_name": str, "metadata": {"public": str}})
"""

from tests.harbor.server.answers import unprocessable

_NAMES = {str: "string", int: "integer", bool: "boolean", dict: "object", list: "array"}


def check(body: object, shape: dict | list | type, path: str = "") -> None:
    """Raise 422 where a value has another type than `shape` says. Unknown keys are nobody's business."""
    if body is None:
        return
    match shape:
        case dict():
            _must(isinstance(body, dict), path, "object", body)
            for key, inner in shape.items():
                check(body.get(key), inner, f"{path}.{key}" if path else key)
        case [inner]:
            _must(isinstance(body, list), path, "array", body)
            for number, value in enumerate(body):
                check(value, inner, f"{path}.{number}")
        case _:
            fits = isinstance(body, shape) and (shape is bool or not isinstance(body, bool))
            _must(fits, path, _NAMES.get(shape, "object"), body)


def _must(fits: bool, path: str, name: str, value: object) -> None:
    if not fits:
        raise unprocessable(f'{path or "body"} in body must be of type {name}: "{_NAMES.get(type(value), "null")}"')
