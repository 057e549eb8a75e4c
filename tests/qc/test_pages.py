# SPDX-License-Identifier: MIT
"""The pages of images and masks in a real browser, on a desk and on a phone."""

import base64
import json
from collections import Counter
from dataclasses import replace

import pytest

from brainmasks.images import Policy
from brainmasks.images.findings import FINDINGS, Finding
from brainmasks.images.verdicts import IDENTICAL, NOT_AN_IMAGE, VERDICTS, Comparison
from brainmasks.qc import tabulate_images
from brainmasks.qc.image_page import image_page
from brainmasks.qc.mask_page import mask_page
from brainmasks.qc.montage import FOOTER, WIDTH

DESKTOP, PHONE = (1280, 900), (390, 844)
# One pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
POLICY = Policy([IDENTICAL, "within_tolerance"], ["empty", "not_binary", "mostly_outside"])
HOSTILE = (
    "<script>document.title = 'run'</script>",
    "\"'><img src=x onerror=\"document.title = 'run'\">",
    "</style></td></table><script src='http://192.0.2.1/x.js'></script>",
    "javascript:document.title='run'",
    "{{ 7 * 7 }} ${7 * 7} &lt;script&gt;",
    "\u202etfel ot thgir morf\u202c \u200f\u2066",
    "long" * 2000,
    "http://192.0.2.1/?a=\"onmouseover='document.title=1'",
)


def comparison(number: int) -> Comparison:
    """Return what might have been found of one of many images."""
    verdict = VERDICTS[number % len(VERDICTS)]
    if verdict == NOT_AN_IMAGE:
        return Comparison(verdict, "It cannot be read as an image: it is empty.")
    codes = [code for step, code in enumerate(FINDINGS, 3) if number % step == 0]
    return Comparison(
        verdict,
        f"Sentence {number} about its grid.",
        tuple(Finding(code, f"Sentence about {code}.") for code in codes),
        voxels=(number * 37) % 1000,
        volume_ml=(number * 37) % 1000 / 125,
        voxels_inside=(number * 37) % 1000,
        voxels_outside=number % 11,
        hemisphere=("left", "right", "midline")[number % 3],
        voxels_left=1,
        voxels_right=2,
        components=1,
        largest_component=3,
    )


FOUND = {
    f"sub-{number}": (
        {"image": f"lesions/sub-{number}.nii.gz", "mask": f"{'AB'[number % 2]}_2mm"},
        comparison(number),
    )
    for number in range(200)
}


def sidecar(space: str, edge: float, licence: str, voxels: int) -> dict:
    return {
        "SpaceRequested": space,
        "SpaceServed": space,
        "Grid": {
            "Shape": [6, 7, 5],
            "VoxelSize": [edge, edge, edge],
            "Origin": [-6, -8, -4.5],
            "Units": "mm",
            "Orientation": "RAS",
        },
        "Voxels": voxels,
        "VolumeML": voxels * edge**3 / 1000,
        "Sources": ["https://example.org/a.nii.gz"],
        "Recoded": False,
        "VerifiedBy": "sha256",
        "SHA256": "a" * 64,
        "ContentSHA256": "b" * 64,
        "License": licence,
        "ReferencesAndLinks": ["https://doi.org/10.1/x"],
    }


@pytest.fixture
def many(tmp_path):
    """Return a page of 200 images with their pictures, as the workflow writes it."""
    entries = [{"id": name, **entry, **each.as_dict()} for name, (entry, each) in FOUND.items()]
    (tmp_path / "found.json").write_text(json.dumps(entries))
    tabulate_images(tmp_path / "found.json", POLICY, tmp_path / "images.html")
    for name in FOUND:
        (tmp_path / f"{name}.png").write_bytes(PNG)
    return tmp_path / "images.html"


def names(page) -> list[str]:
    """Return the names in the rows that can be seen, in their order."""
    return page.locator("tbody tr:visible th strong").all_inner_texts()


def count(page) -> str:
    return page.get_by_role("status").inner_text()


def sorting(page) -> dict[str, str]:
    """Return how a screen reader says that columns are sorted."""
    headings = page.locator("th[aria-sort]").all()
    return {each.inner_text(): each.get_attribute("aria-sort") for each in headings}


def test_two_hundred_images_are_filtered_and_counted(browser, many):
    page = browser.open(many)
    accepted = [name for name, (_, each) in FOUND.items() if POLICY.accepts(each)]
    assert 0 < len(accepted) < 100
    assert f"{len(accepted)} accepted\n{200 - len(accepted)} rejected" in "\n".join(
        page.locator("p .badge").all_inner_texts()
    )
    assert names(page) == list(FOUND)
    assert count(page) == "200 of 200 images shown"

    page.get_by_label("Outcome").select_option("accepted")
    assert names(page) == accepted
    assert count(page) == f"{len(accepted)} of 200 images shown"
    assert set(page.locator("tbody tr:visible td .badge").all_inner_texts()) == {"accepted"}
    page.get_by_label("Outcome").select_option("rejected")
    assert names(page) == [name for name in FOUND if name not in accepted]
    page.get_by_role("button", name="Show all").click()
    assert names(page) == list(FOUND)

    codes = {"Verdict": lambda each: [each.verdict], "Finding": lambda each: each.codes}
    for label, of in codes.items():
        counts = Counter(code for _, each in FOUND.values() for code in of(each))
        options = page.get_by_label(label).locator("option").all_inner_texts()
        assert options == ["all", *(f"{code} ({n})" for code, n in sorted(counts.items()))]
        for code in counts:
            page.get_by_label(label).select_option(code)
            assert names(page) == [name for name, (_, each) in FOUND.items() if code in of(each)]
        page.get_by_label(label).select_option("all")

    # Several together, and words of whatever is in a row.
    page.get_by_label("Finding").select_option("empty")
    page.get_by_label("Mask").select_option("B_2mm")
    page.get_by_label("Search").fill("  LESIONS/sub-1")
    wanted = [
        name
        for name, (entry, each) in FOUND.items()
        if "empty" in each.codes and entry["mask"] == "B_2mm" and name.startswith("sub-1")
    ]
    assert names(page) == wanted != []
    page.get_by_label("Search").fill("no such words")
    assert (names(page), count(page)) == ([], "No image matches. Choose less, or show all.")


def test_two_hundred_images_are_sorted(browser, many):
    page = browser.open(many)
    assert set(sorting(page).values()) == {"none"}

    def by(key, reverse=False) -> list[str]:
        """Return the names sorted, and those without a value in their order at the end."""
        known = [name for name in FOUND if key(FOUND[name][1]) is not None]
        rest = [name for name in FOUND if name not in known]
        ordered = sorted(known, key=lambda name: key(FOUND[name][1]), reverse=reverse)
        return ordered + rest

    page.get_by_role("button", name="Voxels").click()
    assert names(page) == by(lambda each: each.voxels)
    assert sorting(page)["Voxels"] == "ascending"
    page.get_by_role("button", name="Voxels").press("Enter")
    assert names(page) == by(lambda each: each.voxels, reverse=True)
    assert sorting(page) | {"Voxels": "none"} == dict.fromkeys(sorting(page), "none")
    assert sorting(page)["Voxels"] == "descending"
    page.get_by_role("button", name="Outcome").click()
    assert names(page) == by(lambda each: (not POLICY.accepts(each), each.verdict))
    page.get_by_role("button", name="Image").click()
    # As people count: 2 before 10.
    assert names(page) == list(FOUND)

    # Filtered and sorted, also after the page is loaded again: as when a run has written it anew.
    page.get_by_role("button", name="Outside").click()
    page.get_by_label("Verdict").select_option("shifted")
    ordered = by(lambda each: each.voxels_outside)
    wanted = [name for name in ordered if FOUND[name][1].verdict == "shifted"]
    assert names(page) == wanted
    page.reload()
    assert names(page) == wanted
    assert sorting(page)["Outside"] == "ascending"
    page.get_by_role("button", name="Show all").click()
    assert names(page) == list(FOUND)
    assert set(sorting(page).values()) == {"none"}


def test_address_that_means_nothing_shows_all(browser, many):
    page = browser.open(many, hash="#verdict=<script>&ascending=toString&words=%00&outcome=")
    page.get_by_label("Search").fill("")
    assert names(page) == list(FOUND)


def test_thumbnail_opens_the_picture_and_only_what_is_seen_is_loaded(browser, many):
    page = browser.open(many)
    first = page.get_by_role("link", name="Picture of sub-7", exact=True)
    loaded = page.locator("img").evaluate_all("all => all.filter(one => one.naturalWidth).length")
    assert 0 < loaded < 100
    first.click()
    page.wait_for_url("**/sub-7.png")
    assert page.locator("img").evaluate("one => one.naturalWidth") == 1
    page.go_back()
    last = page.get_by_role("img", name="Picture of sub-199")
    last.scroll_into_view_if_needed()
    page.wait_for_function("one => one.naturalWidth", arg=last.element_handle())


def test_picture_that_is_not_there_leaves_no_gap(browser, tmp_path):
    path = tmp_path / "images.html"
    path.write_text(image_page(dict(list(FOUND.items())[:3]), POLICY))
    (tmp_path / "sub-1.png").write_bytes(PNG)
    page = browser.open(path)
    page.get_by_text("drawn by snakemake qc").wait_for()
    page.wait_for_function("document.querySelectorAll('.picture[hidden]').length == 2")
    assert page.locator(".picture:visible").get_attribute("href") == "./sub-1.png"
    # A browser says of each file that it is not there.
    missing = [text for text in browser.complaints if "ERR_FILE_NOT_FOUND" in text]
    assert len(missing) == len(browser.complaints) == 2
    browser.complaints.clear()


def test_page_without_scripts_is_a_plain_table(browser, many):
    page = browser.open(many, java_script_enabled=False)
    assert page.locator("tbody tr").count() == 200
    assert (page.locator("form").is_visible(), page.locator("button:visible").count()) == (False, 0)
    assert page.get_by_role("columnheader").first.inner_text() == "Image"


def test_what_is_printed_has_headings_and_no_controls(browser, many):
    page = browser.open(many)
    page.get_by_label("Outcome").select_option("accepted")
    accepted = names(page)
    page.emulate_media(media="print")
    assert names(page) == accepted
    assert not page.locator("form").is_visible()
    displays = "all => all.map(one => getComputedStyle(one).display)"
    assert page.locator("thead").evaluate_all(displays) == ["table-header-group"]
    # A button would be left out of the headings of all pages but the first.
    assert set(page.locator("thead button").evaluate_all(displays)) == {"contents"}


def test_table_and_cards_fit_whatever_the_screen(browser, many):
    page = browser.open(many)
    # The last two lie beside each other: from there on it is a table.
    for width, display in ((320, "grid"), (390, "grid"), (1200, "grid"), (1201, "table-row")):
        page.set_viewport_size({"width": width, "height": 800})
        row = page.locator("tbody tr").first
        assert row.evaluate("one => getComputedStyle(one).display") == display
        assert page.evaluate("document.documentElement.scrollWidth") == width


def hostile_pages(folder) -> list:
    """Write both pages with whatever may come from a table or a file; return their paths."""
    found = {
        f"{number}{text[:200]}": (
            {"image": text, "mask": text},
            replace(comparison(0), detail=text, findings=(Finding("empty", text),)),
        )
        for number, text in enumerate(HOSTILE)
    }
    masks = {
        f"{number}{text[:200]}": sidecar(text, 2, text, 1)
        | {"SpaceServed": "A", "Sources": [text], "ReferencesAndLinks": [text]}
        for number, text in enumerate(HOSTILE)
    }
    pages = {"images.html": image_page(found, POLICY), "masks.html": mask_page(masks)}
    for name, text in pages.items():
        (folder / name).write_text(text)
    return [folder / name for name in pages]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_hostile_text_is_text_and_nothing_is_cut_off(browser, tmp_path, size):
    for path in hostile_pages(tmp_path):
        page = browser.open(path, size)
        page.wait_for_function("document.querySelectorAll('.picture[hidden]').length > 0")
        assert len(names(page)) == len(HOSTILE)
        texts = page.locator("tbody").inner_text()
        assert [text for text in HOSTILE if text not in texts] == []
        for select in page.locator("select").all():
            for number in range(1, select.locator("option").count()):
                select.select_option(index=number)
                assert names(page)
            select.select_option(index=0)
        links = page.locator("a").evaluate_all("all => all.map(one => one.protocol)")
        assert set(links) <= {"file:", "https:", "http:"}
        assert page.title() in ("Images and their masks", "Brain masks")
        assert page.locator("script").count() == 1
        # Nothing is wider than the screen.
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        right = "all => Math.max(...all.map(one => one.getBoundingClientRect().right))"
        assert page.locator("body *:visible").evaluate_all(right) <= size[0]
    assert {text.split("::")[-1] for text in browser.complaints} <= {
        "ERR_FILE_NOT_FOUND",
        "ERR_NAME_TOO_LONG",
    }
    browser.complaints.clear()


def test_no_script_runs_that_is_not_ours(browser, many):
    """Even if one should get through: the page allows its own alone, and only its own folder."""
    text = many.read_text().replace(
        "</table>", "</table><script>document.title = 'run'</script><img src='http://192.0.2.1/x'>"
    )
    many.write_text(text)
    page = browser.open(many)
    page.wait_for_timeout(100)
    assert page.title() == "Images and their masks"
    assert names(page) == list(FOUND)
    assert len(browser.complaints) == 2
    assert all("Content Security Policy" in each for each in browser.complaints)
    # Announced, and then blocked: that is the other complaint.
    assert browser.asked == ["http://192.0.2.1/x"]
    browser.complaints.clear()
    browser.asked.clear()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_masks_are_sorted_and_filtered(browser, tmp_path, size):
    masks = {
        "A_1mm": sidecar("A", 1, "CC0", 3000),
        "A_0.7mm": sidecar("A", 0.7, "CC0", 9000),
        "B_2mm": sidecar("B", 2, "McGill, see https://example.org", 20000),
    }
    (tmp_path / "masks.html").write_text(mask_page(masks))
    for name in masks:
        (tmp_path / f"{name}.png").write_bytes(PNG)
    page = browser.open(tmp_path / "masks.html", size)
    assert names(page) == list(masks)
    page.get_by_role("button", name="Grid").click()
    assert names(page) == ["A_0.7mm", "A_1mm", "B_2mm"]
    page.get_by_role("button", name="Voxels").click()
    assert names(page) == ["A_1mm", "A_0.7mm", "B_2mm"]
    for label, option, left in (
        ("Space", "B", ["B_2mm"]),
        ("Voxel size", "0.7 mm", ["A_0.7mm"]),
        ("Licence", "CC0", ["A_1mm", "A_0.7mm"]),
    ):
        page.get_by_label(label).select_option(option)
        assert names(page) == left
        page.get_by_label(label).select_option("all")
    page.get_by_role("link", name="Picture of A_0.7mm").click()
    page.wait_for_url("**/A_0.7mm.png")


def test_rejected_images_are_looked_at_after_the_run_and_in_its_report(browser, workflow, images):
    pytest.importorskip("matplotlib", reason="requirements-qc.txt is not installed")
    images("same", "moved", accept=["identical"])
    workflow.fail("qc")
    folder = workflow.folder / "qc"
    page = browser.open(folder / "images.html", PHONE)
    page.get_by_label("Outcome").select_option("rejected")
    assert (names(page), count(page)) == (["moved"], "1 of 2 images shown")
    assert "shifted" in page.locator("tr:visible .reason").all_inner_texts()
    link = page.get_by_role("link", name="Picture of moved")
    page.wait_for_function("one => one.naturalWidth", arg=link.locator("img").element_handle())
    seen, whole = link.bounding_box(), link.locator("img").bounding_box()
    # Cut off is the legend, below the axial slices.
    below = whole["y"] + whole["height"] - seen["y"] - seen["height"]
    assert below == pytest.approx(whole["width"] * FOOTER / WIDTH, abs=1.5)
    link.click()
    page.wait_for_url("**/moved.png")
    assert page.locator("img").evaluate("one => one.naturalWidth") == 1800
    assert names(browser.open(folder / "masks.html")) == ["A_2mm", "B_2mm"]

    workflow.succeed("qc", "--report", "report.html")
    page = browser.open(workflow.folder / "report.html")
    for words in ("Results", "Images"):
        page.get_by_text(words, exact=True).click()
    page.locator("tr", has_text="(all: table of verdicts)").locator("a").first.click()
    framed = page.frame_locator("iframe")
    framed.get_by_label("Outcome").select_option("accepted")
    assert framed.get_by_role("status").inner_text() == "1 of 2 images shown"
    # Files beside the page cannot be seen from a report, which lists them itself.
    framed.get_by_text("a report lists them beside this page").wait_for()
    assert framed.locator(".picture:visible").count() == 0
    # Of the report itself.
    browser.complaints[:] = [text for text in browser.complaints if "tailwindcss" not in text]
