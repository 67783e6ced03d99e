"""speedscope's JSON, held by Debian's python3-jsonschema against what its published format demands."""
import json

from harness import CACHE_BYTES, FILE, LEAK_BYTES, MAP_BYTES, NAME, expect, expect_equal

SCHEMA = {
    "type": "object", "required": ["$schema", "shared", "profiles"], "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": {"type": "string"}, "exporter": {"type": "string"}, "activeProfileIndex": {"type": "integer"},
        "shared": {
            "type": "object", "required": ["frames"], "additionalProperties": False,
            "properties": {"frames": {"type": "array", "items": {
                "type": "object", "required": ["name"], "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "file": {"type": "string"}, "line": {"type": "integer"},
                               "col": {"type": "integer"}}}}}},
        "profiles": {"type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False,
            "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
            "properties": {
                "type": {"const": "sampled"}, "name": {"type": "string"}, "unit": {"const": "bytes"},
                "startValue": {"type": "number"}, "endValue": {"type": "number"},
                "samples": {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0}}},
                "weights": {"type": "array", "items": {"type": "number", "minimum": 0}}}}},
    },
}


def read(text):
    import jsonschema
    file = json.loads(text)
    try:
        jsonschema.validate(file, SCHEMA)
    except jsonschema.ValidationError as error:
        expect(False, f"does not fit the format: {error.message} at {list(error.absolute_path)}")
    for profile in file["profiles"]:
        expect_equal(len(profile["samples"]), len(profile["weights"]), "weights")
        expect_equal(sum(profile["weights"]), profile["endValue"], "sum of the weights")
        expect(all(frame < len(file["shared"]["frames"]) for stack in profile["samples"] for frame in stack), "frames")
    return file


def stacks(file, number=0):
    """{innermost name: (stack outermost first, weight)}"""
    profile = file["profiles"][number]
    found = {}
    for sample, weight in zip(profile["samples"], profile["weights"]):
        stack = [file["shared"]["frames"][frame] for frame in sample]
        found[stack[-1]["name"]] = (stack, weight)
    return found


def case_stacks_and_weights(place):
    found = stacks(read(place.export("--to", "speedscope", place.hostile)))
    expect_equal([weight for _, weight in found.values()], [MAP_BYTES, LEAK_BYTES, CACHE_BYTES], "weights, largest first")
    stack, _ = found[NAME]
    expect_equal(stack[-1], {"name": NAME, "file": FILE, "line": 12}, "hostile frame")
    expect_equal(stack[-2], {"name": "handle", "file": "/srv/app.py", "line": 7}, "Python frame")
    expect_equal([frame["name"] for frame in stack[:2]],
                 ["(anonymous namespace)::outer_part", "(anonymous namespace)::inlined_part"], "outermost frames")


def case_a_profile_for_each_process(place):
    file = read(place.export("--to", "speedscope", place.run))
    expect_equal([profile["name"] for profile in file["profiles"]], ["hostile.100", "hostile.101"], "profiles")
    expect_equal(stacks(file, 1)[NAME][1], LEAK_BYTES, "leak of the second")


def case_what_became_more(place):
    found = stacks(read(place.export("--to", "speedscope", "--since", "warm", place.hostile)))
    expect_equal({name: weight for name, (_, weight) in found.items()}, {NAME: 38_400}, "what grew")
