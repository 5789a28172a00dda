"""Holds answers against the server's own OpenAPI description: the part of JSON Schema that it uses, on its own."""

import json
import re
import urllib.parse


class Description:
    def __init__(self, document):
        self.document = document
        self.checked = 0
        self.paths = [(self._pattern(path), verbs) for path, verbs in document["paths"].items()]

    @staticmethod
    def _pattern(path):
        literal = [re.escape(piece) for piece in re.split(r"\{[^}]*\}", path.rstrip("/") or "/")]
        return re.compile("[^/]+".join(literal) + "/?$")

    def operation(self, method, target):
        path = urllib.parse.unquote(urllib.parse.urlsplit(target).path)
        for pattern, verbs in self.paths:
            if pattern.match(path) and method.lower() in verbs:
                return verbs[method.lower()]
        return None

    def check(self, method, target, answer):
        """Raises AssertionError if the answer is not as described."""
        operation = self.operation(method, target)
        if not operation or method == "HEAD":
            return
        self.checked += 1
        responses = operation["responses"]
        described = responses.get(str(answer.status)) or responses.get("default")
        place = f"{method} {target} {answer.status}"
        if not described:
            # A request that is refused before its route is reached has one of the original's shapes.
            assert answer.status in (307, 400, 401, 403, 408, 413, 417, 429, 431, 503, 504), f"{place} is not described"
            return
        kind = answer.headers.get("content-type", "").split(";")[0]
        schema = described.get("content", {}).get(kind, {}).get("schema")
        if schema and kind.endswith("json"):
            faults = list(self.faults(json.loads(answer.body), schema, "$"))
            assert not faults, f"{place}: {faults[0]} in {answer.text[:300]}"

    def faults(self, value, schema, place):
        if "$ref" in schema:
            yield from self.faults(value, self.document["components"]["schemas"][schema["$ref"].split("/")[-1]], place)
        if "anyOf" in schema and not any(not list(self.faults(value, one, place)) for one in schema["anyOf"]):
            yield f"{place} fits no alternative"
        if "const" in schema and value != schema["const"]:
            yield f"{place} is not {schema['const']}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place} is none of {schema['enum']}"
        types = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
        wanted = schema.get("type")
        if wanted:
            names = wanted if isinstance(wanted, list) else [wanted]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = any(
                number and (name == "number" or float(value).is_integer()) if name in ("number", "integer")
                else isinstance(value, types[name]) for name in names)
            if not fits:
                yield f"{place} is no {wanted}"
                return
        if isinstance(value, dict):
            for name in schema.get("required", []):
                if name not in value:
                    yield f"{place}.{name} is missing"
            for name, inner in value.items():
                if name in schema.get("properties", {}):
                    yield from self.faults(inner, schema["properties"][name], f"{place}.{name}")
                elif schema.get("additionalProperties") is False:
                    yield f"{place}.{name} is not described"
        if isinstance(value, list) and "items" in schema:
            for index, inner in enumerate(value):
                yield from self.faults(inner, schema["items"], f"{place}[{index}]")
