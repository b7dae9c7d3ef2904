"""Harbor's own API file as the judge of what the contract server takes and gives.

problems(load(), exchange)    # nothing, or what differs
The file is not part of the project; without it the tests that need it skip with one line.
"""

import functools
import json
import os
from pathlib import Path

import yaml
from jsonschema import Draft4Validator

#: Beside the repository, or where the variable says.
FILE = Path(
    os.environ.get("HARBOR_OPENAPI", Path(__file__).parents[3] / "shared" / "data" / "harbor-2.15.2-openapi.yaml")
)
_ERRORS = {"$ref": "#/definitions/Errors"}


@functools.cache
def load() -> dict | None:
    """Give the file with its schemas as JSON Schema, or None where it is absent."""
    if not FILE.exists():
        return None
    document = yaml.load(FILE.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return _converted(document)


def _converted(node):
    """Turn Swagger's `x-nullable` into JSON Schema, and refuse keys that a schema does not name.

    Values that are called plain objects are anything: so they are in Harbor's own code. A list in an object may be null,
    which is what a real Harbor answers for some that are empty.
    """
    if isinstance(node, list):
        return [_converted(each) for each in node]
    if not isinstance(node, dict):
        return node
    done = {key: _converted(value) for key, value in node.items()}
    if done.get("x-nullable") and isinstance(done.get("type"), str):
        done["type"] = [done["type"], "null"]
    if done.get("additionalProperties") == {"type": "object"}:
        done["additionalProperties"] = True
    for each in done["properties"].values() if isinstance(done.get("properties"), dict) else ():
        if isinstance(each, dict) and each.get("type") == "array":
            each["type"] = ["array", "null"]
    if isinstance(done.get("properties"), dict) and "additionalProperties" not in done and "allOf" not in done:
        done["additionalProperties"] = False
    return done


def problems(document: dict, exchange: dict) -> list[str]:
    """Say how an exchange differs from the file; requests count only where they were taken."""
    path = exchange["template"]
    found = document["paths"].get(path) or document["paths"].get(f"{path}/")
    if found is None:
        return [f"{path} is no path of the API"]
    operation = found.get(exchange["method"].lower())
    if operation is None:
        return [f"{exchange['method']} {path} is no operation of the API"]
    where = f"{exchange['method']} {exchange['path']} -> {exchange['status']}"
    said = _answer(document, operation, exchange)
    if exchange["status"] < 300:
        said += _request(document, operation, exchange)
    return [f"{where}: {each}" for each in said]


def _request(document: dict, operation: dict, exchange: dict) -> list[str]:
    parameters = [_resolved(document, each) for each in operation.get("parameters", [])]
    known = {each["name"] for each in parameters if each["in"] == "query"}
    said = [f"unknown query parameter {name}" for name in exchange["query"] if name not in known]
    schemas = [each["schema"] for each in parameters if each["in"] == "body"]
    if exchange["body"] and schemas:
        said += _differences(document, schemas[0], json.loads(exchange["body"]))
    return said


def _answer(document: dict, operation: dict, exchange: dict) -> list[str]:
    answers, body = operation["responses"], exchange["answer"]
    answer = _resolved(document, answers.get(str(exchange["status"]), {}))
    if exchange["status"] >= 400:
        return _differences(document, _ERRORS, body) if body else []
    if not answer:
        return [f"the API does not know this answer, only {', '.join(answers)}"]
    if body is None or "schema" not in answer:
        return []
    if answer["schema"].get("type") == "string" and not isinstance(body, str):
        return []  # reports of scanners, which the file calls strings
    return _differences(document, answer["schema"], body)


def _resolved(document: dict, node: dict) -> dict:
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document


def _differences(document: dict, schema: dict, body: object) -> list[str]:
    validator = Draft4Validator({**schema, "definitions": document["definitions"]})
    return [f"{'.'.join(map(str, error.path)) or 'body'}: {error.message}" for error in validator.iter_errors(body)]
