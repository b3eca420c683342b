"""Holds recorded messages against the published description of the API.

usage: check_messages.py DESCRIPTION DIRECTORY

Each line of the directory's *.jsonl is an exchange. A request is checked unless its answer calls it wrong (400,
415). A response of 400 and more is checked without its wrapper, `error`; an `idempotency_conflict` is in no
description, and is left out.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = "urn:description"


class Description:
    """The published description, as something to hold messages against."""

    def __init__(self, document: dict):
        self.registry = Registry().with_resource(ROOT, Resource(document, DRAFT202012))
        self.operations = []
        for path, operations in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\?\{[^}]*\\?\}", "[^/]+", re.escape(path)) + "$")
            for method, operation in operations.items():
                self.operations.append((method.upper(), pattern, path, operation))

    def operation(self, method: str, path: str):
        # A path without a variable comes before one with.
        fits = [each for each in self.operations if each[0] == method and each[1].match(path)]
        return min(fits, key=lambda each: each[2].count("{"), default=None)

    def faults(self, value, schema: dict) -> list[str]:
        schema = self.absolute(schema)
        validator = Draft202012Validator(schema, registry=self.registry)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def absolute(self, schema):
        """The schema with references that hold outside of the document."""
        if isinstance(schema, dict):
            return {
                key: ROOT + value if key == "$ref" else self.absolute(value) for key, value in schema.items()}
        return [self.absolute(each) for each in schema] if isinstance(schema, list) else schema


def request_faults(description: Description, operation: dict, line: dict, query: str) -> list[str]:
    faults = []
    given = dict(parse_qsl(query, keep_blank_values=True))
    for parameter in operation.get("parameters", []):
        name, place = parameter["name"], parameter["in"]
        if place == "header" and name == "Lightfield-Version":
            value = line["version"]
        elif place == "query":
            value = given.pop(name, None)
            if value is not None and parameter["schema"].get("type") == "integer":
                value = int(value) if re.fullmatch(r"-?\d+", value) else value
        else:
            continue
        if value is None:
            faults += [f"{name} is missing"] if parameter.get("required") else []
        else:
            faults += [f"{name}{fault[1:]}" for fault in description.faults(value, parameter["schema"])]
    faults += [f"the query parameter {name} is unknown" for name in given]
    body = operation.get("requestBody")
    if body is None:
        return faults + (["a body that is not described"] if line["request"] else [])
    if not line["request"]:
        return faults + (["no body"] if body.get("required") else [])
    value = json.loads(line["request"])
    return faults + description.faults(value, body["content"]["application/json"]["schema"])


def response_faults(description: Description, operation: dict, line: dict) -> list[str] | None:
    """What is wrong with a response; None where there is nothing to hold it against."""
    described = operation["responses"].get(str(line["status"]))
    if described is None:
        return [f"the status {line['status']} is not described"]
    if (line["contentType"] or "").split(";")[0] != "application/json":
        return [f"the content type is {line['contentType']}"]
    value = json.loads(line["response"])
    if line["status"] >= 400:
        if set(value) != {"error"}:
            return [f"the error is not wrapped: {line['response']}"]
        value = value["error"]
        if value.get("type") == "idempotency_conflict":
            return None
    return description.faults(value, described["content"]["application/json"]["schema"])


def main() -> int:
    description = Description(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    requests = responses = meant = excepted = undescribed = 0
    seen, faults = set(), []
    for file in sorted(Path(sys.argv[2]).glob("*.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            target = urlsplit(line["target"])
            found = description.operation(line["method"], target.path)
            if found is None:
                undescribed += 1
                continue
            method, _, path, operation = found
            seen.add((method, path, line["status"]))
            place = f"{method} {path} {line['status']}"
            if line["status"] in (400, 415):
                meant += 1
            else:
                requests += 1
                faults += [f"{place}: request: {fault}"
                           for fault in request_faults(description, operation, line, target.query)]
            wrong = response_faults(description, operation, line)
            if wrong is None:
                excepted += 1
            else:
                responses += 1
                faults += [f"{place}: response: {fault}" for fault in wrong]
    for fault in sorted(set(faults)):
        print(f"description: {fault} ({faults.count(fault)} times)")
    unseen = [f"{method} {path}" for method, _, path, _ in description.operations
              if not any((method, path) == each[:2] and each[2] == 200 for each in seen)]
    for operation in unseen:
        print(f"description: no successful {operation} was recorded")
    print(
        f"description: {requests + responses} messages checked, {requests} requests and {responses} responses of "
        f"{len(seen)} operation × status; {meant} requests meant to be wrong, {excepted} idempotency conflicts and "
        f"{undescribed} exchanges on paths outside of the description left out; {len(set(faults))} faults")
    return 1 if faults or unseen or not responses else 0


if __name__ == "__main__":
    sys.exit(main())
