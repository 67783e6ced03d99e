"""SARIF, held by Debian's python3-jsonschema against what version 2.1.0 demands of the parts that are used, and its
URIs taken apart by Python's own library."""
import json
import urllib.parse

from harness import FILE, LEAK_BYTES, NAME, expect, expect_equal


def thing(required=(), **properties):
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def many(items, **more):
    return {"type": "array", "items": items, **more}


TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
URI = {"type": "string", "pattern": r"^([A-Za-z0-9\-._~/:]|%[0-9A-F]{2})*$"}
MESSAGE = thing(["text"], text=TEXT)
ARTIFACT = thing(["uri"], uri=URI, uriBaseId=TEXT)
LOCATION = thing(
    message=MESSAGE,
    physicalLocation=thing(["artifactLocation"], artifactLocation=ARTIFACT,
                           region=thing(["startLine"], startLine={"type": "integer", "minimum": 1})),
    logicalLocations=many(thing(["fullyQualifiedName"], fullyQualifiedName=TEXT, kind={"enum": ["function"]})))
RULE = thing(["id"], id=TEXT, name=TEXT, shortDescription=MESSAGE,
             defaultConfiguration=thing(level={"enum": ["none", "note", "warning", "error"]}))
RESULT = thing(
    ["message"], ruleId=TEXT, ruleIndex=NUMBER, level={"enum": ["none", "note", "warning", "error"]}, message=MESSAGE,
    locations=many(LOCATION), partialFingerprints={"type": "object", "additionalProperties": TEXT},
    codeFlows=many(thing(["threadFlows"], threadFlows=many(
        thing(["locations"], locations=many(thing(location=LOCATION), minItems=1)), minItems=1))),
    stacks=many(thing(["frames"], message=MESSAGE, frames=many(thing(location=LOCATION, module=TEXT)))),
    suppressions=many(thing(["kind"], kind={"enum": ["inSource", "external"]}, justification=TEXT)),
    properties={"type": "object"})
SCHEMA = thing(
    ["version", "runs"], **{
        "$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"},
        "runs": many(thing(
            ["tool"],
            tool=thing(["driver"], driver=thing(["name"], name=TEXT, rules=many(RULE, uniqueItems=True),
                                                semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"})),
            automationDetails=thing(id=TEXT),
            invocations=many(thing(["executionSuccessful"], executionSuccessful={"type": "boolean"}, processId=NUMBER,
                                   executableLocation=ARTIFACT, exitCode={"type": "integer"},
                                   startTimeUtc={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"})),
            originalUriBaseIds={"type": "object", "additionalProperties": ARTIFACT},
            results=many(RESULT)))})


def read(text):
    import jsonschema
    log = json.loads(text)
    try:
        jsonschema.validate(log, SCHEMA)
    except jsonschema.ValidationError as error:
        expect(False, f"does not fit SARIF: {error.message} at {list(error.absolute_path)}")
    run = log["runs"][0]
    for result in run["results"]:
        expect_equal(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"], result["ruleId"], "rule of a result")
    return run


def the_result(run):
    expect_equal(len(run["results"]), 1, "results")
    return run["results"][0]


def place_of(location):
    physical = location["physicalLocation"]
    return (location["logicalLocations"][0]["fullyQualifiedName"], physical["artifactLocation"],
            physical.get("region", {}).get("startLine"))


# The bytes of the name, not what a terminal is shown.
FILE_BYTES = b'/srv/we;b\r "<&]]>\x02\xfe%20.php'


def case_a_leak_is_a_result(place):
    result = the_result(read(place.export("--to", "sarif", place.hostile)))
    leak = place.leak(place.hostile)
    expect_equal(result["ruleId"], "growing", "rule")
    expect_equal(result["partialFingerprints"], {"seepSuspect/v1": leak["id"]}, "fingerprint")
    expect_equal(result["properties"]["liveBytes"], LEAK_BYTES, "live bytes")
    expect(leak["why"] in result["message"]["text"], f"message: {result['message']}")


def case_programs_do_not_replace_each_other(place):
    run = read(place.export("--to", "sarif", place.hostile))
    expect_equal(run["automationDetails"]["id"], "seep/serv;er\\x0a\\xff/", "the category of what is uploaded")


def case_stacks_with_script_frames(place):
    result = the_result(read(place.export("--to", "sarif", place.hostile)))
    frames = [place_of(frame["location"]) for frame in result["stacks"][0]["frames"]]
    flow = [place_of(one["location"]) for one in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    expect_equal(flow, frames[::-1], "the flow runs from the outermost frame inward")
    name, artifact, line = frames[0]
    expect_equal((name, line), (NAME, 12), "hostile frame")
    expect_equal(urllib.parse.unquote_to_bytes(artifact["uri"]), b"file://" + FILE_BYTES, "its file")
    expect_equal(frames[1], ("handle", {"uri": "file:///srv/app.py"}, 7), "Python frame")
    expect_equal(frames[-1][0], "(anonymous namespace)::outer_part", "outermost frame")
    expect_equal(place_of(result["locations"][0]), frames[0], "blamed frame")


def case_files_below_the_root_are_relative(place):
    run = read(place.export("--to", "sarif", "--root", "/srv/", place.hostile))
    expect_equal(run["originalUriBaseIds"], {"SRCROOT": {"uri": "file:///srv/"}}, "bases")
    frames = [place_of(frame["location"]) for frame in the_result(run)["stacks"][0]["frames"]]
    expect_equal(frames[1][1], {"uri": "app.py", "uriBaseId": "SRCROOT"}, "Python frame")
    expect_equal(urllib.parse.unquote_to_bytes(frames[0][1]["uri"]), FILE_BYTES[5:], "hostile file")
    expect("uriBaseId" not in frames[2][1], f"a file elsewhere: {frames[2]}")


def case_what_is_suppressed_says_so(place):
    run = read(place.export("--to", "sarif", "--suppressions", place.suppressions(), place.hostile))
    expect_equal(the_result(run)["suppressions"], [{"kind": "external", "justification": "leak:handle"}], "suppressions")


def case_no_leak_is_no_result(place):
    run = read(place.export("--to", "sarif", place.sampled))
    expect_equal(run["results"], [], "results")


def case_options_of_stacks_are_refused(place):
    place.expect_refused("--since is nothing to sarif", "--to", "sarif", "--since", "1", place.hostile)
    place.expect_refused("--top is nothing to pprof", "--to", "pprof", "--top", "1", place.hostile)
    place.expect_refused("--root is nothing to junit", "--to", "junit", "--root", "/src", place.hostile)
    place.expect_refused("--allocated is nothing to speedscope", "--to", "speedscope", "--allocated", place.hostile)


def case_a_root_may_end_with_a_slash(place):
    plain, slash = (read(place.export("--to", "sarif", "--root", root, place.hostile)) for root in ("/", "//"))
    expect_equal(plain["originalUriBaseIds"], {"SRCROOT": {"uri": "file:///"}}, "root")
    expect_equal(slash, plain, "the same with two")


def case_every_location_has_a_file(place):
    def locations(value):
        if isinstance(value, dict):
            yield from (found for key in value for found in ([value[key]] if key == "location" else locations(value[key])))
        elif isinstance(value, list):
            yield from (found for one in value for found in locations(one))
    found = list(locations(read(place.export("--to", "sarif", place.hostile))["results"]))
    expect_equal([one for one in found if "physicalLocation" not in one], [], "locations without a file")
