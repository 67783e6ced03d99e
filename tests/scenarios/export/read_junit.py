"""JUnit XML, read by Debian's python3-junitparser and by expat."""
import xml.etree.ElementTree

from harness import FILE, NAME, expect, expect_equal


def read(place, text):
    import junitparser
    xml.etree.ElementTree.fromstring(text)
    file = place.work / "report.xml"
    file.write_bytes(text)
    suites = list(junitparser.JUnitXml.fromfile(str(file)))
    expect_equal(len(suites), 1, "suites")
    suite = suites[0]
    cases = list(suite)
    found = (suite.tests, suite.failures, suite.skipped)
    suite.update_statistics()
    expect_equal(found, (suite.tests, suite.failures, suite.skipped), "counts of the suite")
    expect_equal(len({(case.classname, case.name) for case in cases}), len(cases), "cases of one name")
    return suite, cases


def results(cases, kind):
    """(case, result) of those whose result is of this kind."""
    return [(case, one) for case in cases for one in case.result if type(one).__name__ == kind]


def case_a_leak_is_a_failure(place):
    suite, cases = read(place, place.export("--to", "junit", place.hostile))
    suspects, leak = place.suspects(place.hostile), place.leak(place.hostile)
    expect_equal(suite.name, "hostile.100", "suite")
    expect_equal(len(cases), len(suspects), "cases")
    failures = results(cases, "Failure")
    expect_equal(len(failures), 1, "failures")
    case, failure = failures[0]
    expect_equal(case.name, f"{NAME} [{leak['id']}]", "name of the case")
    expect_equal(case._elem.attrib["file"], FILE, "file")
    expect_equal(case._elem.attrib["line"], "12", "line")
    expect_equal(failure.type, "growing", "type")
    for part in (f"{NAME}  {FILE}:12", "handle  /srv/app.py:7", leak["why"]):
        expect(part in failure.text, f"the failure does not say {part!r}: {failure.text}")


def case_what_is_suppressed_is_skipped(place):
    _, cases = read(place, place.export("--to", "junit", "--suppressions", place.suppressions(), place.hostile))
    expect_equal(results(cases, "Failure"), [], "failures")
    skipped = [one.message for _, one in results(cases, "Skipped")]
    expect("suppressed by leak:handle" in skipped, f"skipped: {skipped}")


def case_what_is_too_short_is_skipped(place):
    _, cases = read(place, place.export("--to", "junit", place.sampled))
    expect_equal(len(cases), 1, "cases")
    expect_equal(len(results(cases, "Skipped")), 1, "skipped")
