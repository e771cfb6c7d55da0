"""The report in a real browser: whole, readable, silent, and without asking the network for anything."""

import re

import pytest
from PIL import Image
from tests.browser import Browser, chromium

pytestmark = pytest.mark.slow

SHOWN = {
    "Cost": ["Error against speed"],
    "Errors": [
        "Cost and accuracy (table)",
        "Error by distance from the border",
        "Error by distance from the border (table)",
        "Test error",
    ],
    "Paddings": [
        "A padded scene",
        "Error of the padding itself",
        "Expected error on blurred noise",
        "Scenes padded by lp6x7",
    ],
    "Provenance": ["Where the numbers come from (table)"],
    "Seams": [
        "Deviation by distance from the seam",
        "Error against compute",
        "Error against compute (table)",
        "Paddings exchanged",
        "Paddings exchanged (table)",
        "What happens where tiles meet (table)",
    ],
    "Tiles": [
        "How far tiles deviate, crop 0",
        "How far tiles deviate, crop 5",
        "Where tiles meet, crop 0",
        "Where tiles meet, crop 5",
    ],
    "Training": ["Inputs and targets", "Loss in training", "Runs and failures (table)", "Upscaled scenes"],
}
LINK = "[...document.querySelectorAll('a')].find(a => a.innerText.trim() === '{}')"
ROWS = "[...document.querySelectorAll('tbody tr')]"


FIGURE_SIZES = {
    "loss_histories": (2148, 1395), "test_mse": (1050, 1980), "shell_mse": (1050, 2145),
    "throughput": (1050, 1550), "padded_samples": (1050, 1194), "upscaled_samples": (2148, 2900),
    "padding_nmse": (300, 90),
}  # fmt: skip
"""Pixels of figures as large and as small studies have them."""

WARNING = """.. warning::

   3 of 4 networks do not beat bilinear upscaling of the same output crop: zero\\_oc5 1 of 2 (+3.2 %).
"""

WINDOWS = {"screen": (1400, 900), "telephone": (390, 844)}
IMAGE = "[...document.images].find(image => image.src.startsWith('data:image/png') && image.complete)"
CORNERS = f"""(() => {{
    const image = {IMAGE};
    const seen = (x, y) => document.elementFromPoint(x, y) === image;
    image.scrollIntoView({{block: 'start', inline: 'start'}});
    const first = image.getBoundingClientRect();
    const begins = seen(first.left + 1, first.top + 1) && seen(first.right - 1, first.top + 1);
    image.scrollIntoView({{block: 'end', inline: 'end'}});
    const last = image.getBoundingClientRect();
    const ends = seen(last.left + 1, last.bottom - 1) && seen(last.right - 1, last.bottom - 1);
    return {{begins, ends, width: last.width, height: last.height, natural: image.naturalWidth,
             shape: image.naturalHeight / image.naturalWidth}};
}})()"""


@pytest.fixture(scope="module")
def report(made):
    """The report of a study, and what was printed when it was made."""
    for figure in (made.folder / "results" / "figures").glob("*.png"):  # of the stand-in, of a pixel
        Image.new("RGB", FIGURE_SIZES.get(figure.stem, (1050, 1194)), "navy").save(figure)
    (made.folder / "results" / "tables" / "warnings.rst").write_text(WARNING)
    printed = made.run_with_stand_in(
        "--cores", 1, "--configfile", "overlay.yaml", "--report", "results/report.html"
    )
    return made.folder / "results" / "report.html", printed


def test_captions_are_without_faults(report):
    assert not re.search(r"\((ERROR|WARNING)/", report[1]), report[1]


@pytest.fixture(scope="module")
def page(report, tmp_path_factory):
    """The report as a browser shows it."""
    if chromium() is None:
        pytest.skip("no Chromium on this machine: no program chromium, chromium-browser or google-chrome")
    with Browser(tmp_path_factory.mktemp("profile")) as page:
        page.address = report[0].as_uri()
        yield page


def opened(page, category):
    """Open the report at a category; returns the results listed there."""
    for address in ("about:blank", page.address):
        page.call("Page.navigate", url=address)
        page.wait_for(f"location.href === '{address}'")
    page.wait_for(f"document.body && {LINK.format(category)} !== undefined")
    page.evaluate(f"{LINK.format(category)}.click()")
    page.wait_for("document.querySelectorAll('a[iconname=eye]').length > 0")
    return page.evaluate(f"{ROWS}.map(row => row.cells[0].innerText.trim())")


@pytest.fixture(params=WINDOWS)
def window(page, request):
    """A page in a window of some size."""
    width, height = WINDOWS[request.param]
    page.resize(width, height, telephone=request.param == "telephone")
    yield request.param, width, height
    page.call("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("category", [category for category in SHOWN if category != "Provenance"])
def test_every_figure_can_be_seen_whole(page, window, category):
    name, width, height = window
    results = opened(page, category)
    for index, result in enumerate(results):
        page.evaluate(f"{ROWS}[{index}].querySelector('a[iconname=eye]').click()")
        if result.endswith("(table)"):
            page.wait_for("document.querySelector('iframe') !== null")
            assert page.evaluate("document.querySelector('iframe').getBoundingClientRect().width") > width / 2
            continue
        page.wait_for(f"{IMAGE} !== undefined")
        image = page.evaluate(CORNERS)
        assert image["begins"], f"{result}: its top cannot be reached"
        assert image["ends"], f"{result}: its bottom cannot be reached"
        assert image["width"] <= width
        assert image["height"] == pytest.approx(image["width"] * image["shape"], rel=0.01)
        if name == "screen":
            assert image["height"] <= height
        else:
            assert image["width"] > 0.9 * min(width, image["natural"])


def test_the_first_page_warns(page):
    page.call("Page.navigate", url=page.address)
    text = page.wait_for(
        "document.body && document.body.innerText.includes('Warning') && document.body.innerText"
    )
    assert "3 of 4 networks do not beat bilinear upscaling of the same output crop: zero_oc5 1 of 2" in text


@pytest.mark.parametrize("category", SHOWN)
def test_everything_is_there_and_opens(page, category, tmp_path):
    results = opened(page, category)
    assert sorted(results) == SHOWN[category]
    for index, result in enumerate(results):
        page.evaluate(f"{ROWS}[{index}].querySelector('a[iconname=eye]').click()")
        if result.endswith("(table)"):
            page.wait_for("document.querySelector('iframe') !== null")
        else:
            loaded = "[...document.images].filter(image => image.complete && image.naturalWidth > 0)"
            page.wait_for(f"{loaded}.some(image => image.src.startsWith('data:image/png'))")
        page.screenshot(tmp_path / f"{index}.png")


def test_the_configuration_is_in_the_report(page):
    opened(page, "Provenance")
    page.evaluate("document.querySelector('a[iconname=information-circle]').click()")
    text = page.wait_for("document.body.innerText.includes('learning_rate') && document.body.innerText")
    for expected in ("versions, device, commit, data and run times", '"seeds": [', '"nmse_presets": ['):
        assert expected in text


def test_the_report_is_silent_and_asks_for_nothing(page):
    addresses = {
        event["request"]["url"] for name, event in page.events if name == "Network.requestWillBeSent"
    }
    assert page.address in addresses
    assert [
        each for each in addresses - {page.address} if not each.startswith(("about:", "data:", "blob:"))
    ] == []
    faults = [event for name, event in page.events if name == "Runtime.exceptionThrown"]
    faults += [
        event
        for name, event in page.events
        if (name == "Runtime.consoleAPICalled" and event["type"] in ("error", "assert"))
        or (name == "Log.entryAdded" and event["entry"]["level"] == "error")
    ]
    assert faults == []
