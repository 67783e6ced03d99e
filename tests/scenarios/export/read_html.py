"""`seep export --to html`, opened in Chromium: what a reader sees, clicks and searches; names that would harm it."""
import atexit
import contextlib
import functools

from chromium import Chromium
from harness import LEAK_BYTES, expect, expect_equal

ROWS = "document.querySelectorAll('#suspects tr.row').length"


@functools.cache
def one_browser():
    """For all cases: it starts slower than it opens a page."""
    browser = Chromium()
    atexit.register(browser.close)
    return browser


@contextlib.contextmanager
def opened(place, path, fragment="", *options):
    """The page of a recording in Chromium; nothing may stand in its console in the end, and nothing be asked of a network."""
    page = place.work / "page.html"
    place.export("--to", "html", path, "-o", page, "--force", *options)
    browser = one_browser()
    browser.console.clear()
    browser.size(1366, 820)
    browser.open(page, fragment)
    browser.evaluate("localStorage.clear()")
    yield browser
    expect_equal(browser.console, [], "console of the page")


def text_of(browser, selector):
    return browser.evaluate(f"document.querySelector({selector!r})?.innerText ?? ''")


def choose(browser, name, value, event="change"):
    browser.evaluate(f"(one => {{ one.value = {value!r}; one.dispatchEvent(new Event({event!r})) }})(document.getElementById({name!r}))")


def type_search(browser, text):
    choose(browser, "q", text, "input")


def case_shows_what_leaks(place):
    leak = place.leak(place.hostile)
    with opened(place, place.hostile) as browser:
        answer = text_of(browser, "#answer")
        expect("1 leak" in answer, f"the answer does not say 1 leak: {answer}")
        expect("64.0 KB in 1,000 blocks" in answer, f"the answer does not say what is alive: {answer}")
        expect_equal(LEAK_BYTES, leak["live_bytes"], "live bytes of the report")
        expect(browser.evaluate("document.querySelector('#growth canvas').width") > 300, "no chart of the growth")
        expect_equal(browser.evaluate(ROWS), len(place.suspects(place.hostile)), "rows")


def case_opens_a_suspect_by_a_click(place):
    leak = place.leak(place.hostile)
    with opened(place, place.hostile) as browser:
        expect_equal(text_of(browser, "tr.detail"), "", "detail before the click")
        browser.evaluate("document.querySelector('#suspects tr.row').click()")
        detail = text_of(browser, "tr.detail")
        expect(leak["why"] in detail, f"the detail does not say why: {detail}")
        expect("95 % interval" in detail and "srv/app.py:7" in detail, f"no trend or stack in the detail: {detail}")
        expect(browser.evaluate("document.querySelector('tr.detail canvas').width") > 300, "no chart of the suspect")
        expect(f"id={leak['id']}" in browser.evaluate("location.hash"), "the address does not name the suspect")


def case_follows_a_permalink(place):
    leak = place.leak(place.hostile)
    with opened(place, place.hostile, f"#id={leak['id']}") as browser:
        expect_equal(browser.evaluate("document.querySelector('tr.open').dataset.id"), leak["id"], "row that the link opens")


def case_says_when_a_link_leads_nowhere(place):
    with opened(place, place.hostile, "#id=0123456789abcdef") as browser:
        expect("has the id 0123456789abcdef" in text_of(browser, "#suspects .missing"), "nothing says that there is no such id")
    with opened(place, place.hostile, f"#id={place.leak(place.hostile)['id']}&q=nothing") as browser:
        expect("left out" in text_of(browser, "#suspects .missing"), "nothing says that the row is filtered out")


def case_judges_nothing_by_one_snapshot(place):
    with opened(place, place.sampled) as browser:
        expect("Not judged" in text_of(browser, "#answer h1"), f"says {text_of(browser, '#answer h1')!r}")
        expect(browser.evaluate("document.querySelectorAll('.spark circle').length") > 0, "one value has no dot")


def case_tells_about_the_run(place):
    with opened(place, place.hostile, "#tab=about") as browser:
        about = text_of(browser, "#about")
        expect("Nothing was lost while recording" in about and "[object" not in about, f"about the run: {about}")
        licences = browser.evaluate("document.querySelector('.licences').textContent")
        expect("d3-flame-graph 5.0.0 (Apache-2.0)" in licences and "uplot 1.6.32 (MIT)" in licences, "licences are missing")


def case_fits_a_narrow_window(place):
    with opened(place, place.hostile, f"#id={place.leak(place.hostile)['id']}") as browser:
        browser.size(400, 800)
        browser.wait("document.querySelector('tr.detail > td').colSpan === 4")
        for tab in ["suspects", "flame", "about"]:
            browser.evaluate(f"document.querySelector('[data-tab={tab}]').click()")
            wide = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            expect_equal(wide, 0, f"width beyond the window on the tab {tab}")
        browser.evaluate("document.querySelector('[data-tab=suspects]').click()")
        expect(browser.evaluate("document.querySelector('td.where').getBoundingClientRect().width") > 100, "no room for functions")


def case_draws_charts_of_a_hidden_tab(place):
    with opened(place, place.hostile, f"#tab=flame&id={place.leak(place.hostile)['id']}") as browser:
        browser.evaluate("document.querySelector('[data-tab=suspects]').click()")
        browser.wait("document.querySelector('tr.detail canvas').width > 300")


def case_searches_and_filters(place):
    with opened(place, place.work / "page.300") as browser:
        rows = browser.evaluate(ROWS)
        type_search(browser, "open_session")
        browser.wait(f"{ROWS} === 1")
        type_search(browser, "no such thing")
        browser.wait(f"{ROWS} === 0")
        type_search(browser, "")
        browser.wait(f"{ROWS} === {rows}")
        browser.evaluate("document.getElementById('leaks').click()")
        leaks = sum(suspect["leak"] for suspect in place.suspects(place.work / "page.300").values())
        browser.wait(f"{ROWS} === {leaks}")


FRAMES = ("[...document.querySelectorAll('#graph g.frame')].map(one => "
          "[one.getAttribute('name'), one.querySelector('rect').getAttribute('fill')])")


def frames_of(browser):
    """Names and colours, when there are any."""
    return dict(browser.wait(f"{FRAMES}.length > 1 && {FRAMES}"))


def case_draws_what_is_alive(place):
    with opened(place, place.work / "page.300", "#tab=flame") as browser:
        frames = frames_of(browser)
        expect({"all", "{main}", "open_session", "__proto__", "A" * 10_000} <= frames.keys(), f"not all frames: {[*frames]}")
        expect("alive at the end" in text_of(browser, "#weight"), "it does not say what is shown")
        type_search(browser, "open_session")
        browser.wait("document.getElementById('weight').innerText.includes('Found in 256 KB')")
        expect(frames_of(browser)["open_session"] != frames["open_session"], "the search marks nothing")
        type_search(browser, "all")
        browser.wait("!document.getElementById('weight').innerText.includes('(100 %)')")
        type_search(browser, "opt/app session")
        browser.wait("document.getElementById('weight').innerText.includes('Found in 0 B')")
        type_search(browser, "srv/ session")
        browser.wait("document.getElementById('weight').innerText.includes('Found in 256 KB')")


def case_draws_what_changed_between_two_snapshots(place):
    """The first site grows over all snapshots and the second shrinks by as much; to be dragged over on the time line."""
    with opened(place, place.work / "page.300") as browser:
        box = browser.evaluate("(({left, top, width, height}) => [left, top, width, height])"
                               "(document.querySelector('#growth .u-over').getBoundingClientRect())")
        y = box[1] + box[3] / 2
        browser.mouse("mousePressed", box[0] + box[2] * 0.25, y)
        browser.mouse("mouseMoved", box[0] + box[2] * 0.5, y)
        browser.mouse("mouseReleased", box[0] + box[2] * 0.5, y)
        browser.wait("document.getElementById('compare') !== null")
        browser.evaluate("document.getElementById('compare').click()")
        first = browser.wait("document.getElementById('weight')?.innerText")
        frames = frames_of(browser)
        expect("as much as before" in first, f"growth and shrinkage do not cancel out: {first}")
        expect(frames["open_session"].startswith("hsl(4 "), f"what grew is not red: {frames['open_session']}")
        shrunk = next(color for name, color in frames.items() if name.startswith("</script>"))
        expect(shrunk.startswith("hsl(212 "), f"what shrank is not blue: {shrunk}")
        expect("__proto__" not in frames, "what stayed is shown as changed")
        choose(browser, "to", "39")
        browser.wait(f"document.getElementById('weight').innerText !== {first!r}")
        choose(browser, "from", "")
        browser.wait("document.getElementById('weight').innerText.includes('alive at')")


def case_leads_from_a_frame_to_its_suspects(place):
    with opened(place, place.hostile, "#tab=flame&leaks=1") as browser:
        frames_of(browser)
        browser.evaluate("[...document.querySelectorAll('#graph g.frame')].find(one => one.getAttribute('name') === 'handle')"
                         ".dispatchEvent(new MouseEvent('click'))")
        browser.wait("document.querySelector('#frame a') !== null")
        expect_equal(browser.evaluate("document.querySelectorAll('#frame a').length"), 1, "suspects below the frame, leaks only")
        browser.evaluate("document.querySelector('#frame a').click()")
        browser.wait(f"document.querySelector('tr.open')?.dataset.id === {place.leak(place.hostile)['id']!r}")


def case_is_light_and_dark(place):
    background = "getComputedStyle(document.body).backgroundColor"
    with opened(place, place.hostile) as browser:
        browser.theme("light")
        light = browser.evaluate(background)
        browser.theme("dark")
        dark = browser.wait(f"{background} !== {light!r} && {background}")
        browser.evaluate("document.getElementById('theme').click()")
        expect_equal(browser.evaluate(background), light, "background after the switch to light")
        browser.evaluate("document.getElementById('theme').click()")
        expect_equal(browser.evaluate(background), dark, "background after the switch to dark")


def case_takes_no_harm_of_names(place):
    with opened(place, place.work / "page.300") as browser:
        names = [suspect["stack"][0]["function"] for suspect in place.suspects(place.work / "page.300").values()]
        shown = browser.evaluate("[...document.querySelectorAll('#suspects td.where strong')].map(one => one.textContent)")
        for name in ["</script><script>document.title='owned'</script>", "__proto__", "%data%", "A" * 10_000, "<!--<script>",
                     "\\xe2\\x80\\xa8\\xe2\\x80\\xa9\"'`${1}\\"]:
            expect(name in shown, f"{name[:60]!r} is not shown as it is, of {[one[:60] for one in shown]}")
        expect_equal(len(shown), len(names), "rows")
        browser.evaluate("document.querySelectorAll('#suspects tr.row').forEach(row => row.click())")
        expect(browser.evaluate("document.title").startswith("seep: "), "a name ran as a script")
        expect_equal(browser.evaluate("document.querySelectorAll('main img, main b').length"), 0, "elements made of names")
        wide = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        expect_equal(wide, 0, "width beyond the window")


def case_shows_several_processes(place):
    with opened(place, place.run) as browser:
        browser.evaluate("document.querySelector('#suspects tr.row').click()")
        detail = text_of(browser, "tr.detail")
        expect("in 2 of 2" in detail and "The sum over the processes" in detail, f"the detail does not speak of processes: {detail}")
        live = "document.querySelector('#suspects tr.row').children[4].innerText"
        expect_equal(browser.evaluate(live), "128 KB", "live bytes in both")
        choose(browser, "process", "1")
        browser.wait(f"{live} === '64.0 KB'")


def case_compares_at_the_same_moments_whatever_the_process(place):
    with opened(place, place.run, "#tab=flame&from=2&to=7") as browser:
        both = browser.wait("document.getElementById('weight').innerText")
        choose(browser, "process", "0")
        one = browser.wait(f"document.getElementById('weight').innerText !== {both!r} && document.getElementById('weight').innerText")
        expect_equal([both.split(":")[0], one.split(":")[0]], ["2.0 s to 7.0 s"] * 2, "moments")


def case_refuses_what_it_does_not_know(place):
    place.expect_refused("--at is nothing to html", "--to", "html", "--at", "1", place.hostile)
    place.expect_refused("--root is nothing to html", "--to", "html", "--root", "/srv", place.hostile)
    place.expect_refused("--no-source-lines is nothing to sarif", "--to", "sarif", "--no-source-lines", place.hostile)
