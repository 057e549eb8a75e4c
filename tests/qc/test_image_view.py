# SPDX-License-Identifier: MIT
"""Interactive views of images: where they begin, what they show where, and in a real browser."""

import html
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from image_cases import CASES, INSIDE, MASK, REGISTRY, moved, rotated
from nibabel.affines import apply_affine
from support import save_image

from brainmasks import MaskError
from brainmasks.images import Policy, PublishedMask
from brainmasks.images.compare import examine
from brainmasks.images.verdicts import judged_as
from brainmasks.qc.background import Background
from brainmasks.qc.image_scene import scene_of
from brainmasks.qc.image_view import view_image, view_page
from brainmasks.qc.view_volume import (
    AROUND,
    BRAIN_LIGHT,
    EDGE,
    GRID_LIGHT,
    IN_BRAIN,
    OUT_OF_BRAIN,
    view_volume,
)

pytest.importorskip("matplotlib", reason="requirements-qc.txt is not installed")
# What nilearn calls, of matplotlib.
pytestmark = pytest.mark.filterwarnings("ignore:The set_bad function:PendingDeprecationWarning")

LAS = [[0, -1], [1, 1], [2, 1]]
ORDERS = {"RAS": None, "LAS": LAS, "SAL": [[2, -1], [1, 1], [0, 1]]}
BRAIN_MASK = replace(MASK, shape=(30, 36, 26), origin=(-29.0, -40.0, -22.0))
BRAIN_VOXELS = np.zeros(BRAIN_MASK.shape, bool)
BRAIN_VOXELS[3:27, 4:32, 2:24] = True
BRAIN_VOXELS[15:, :8, :6] = False
ENTRY = {"image": "lesions/a.nii.gz", "mask": BRAIN_MASK.name}


def one_voxel(order=None) -> nib.Nifti1Image:
    """Return an image of one voxel, at -13, 8, 14 mm."""
    voxels = np.zeros(BRAIN_MASK.shape, np.uint8)
    voxels[8, 24, 18] = 1
    image = nib.Nifti1Image(voxels, BRAIN_MASK.affine)
    return image.as_reoriented(np.array(order)) if order else image


def block(order=None) -> nib.Nifti1Image:
    """Return an image on the left that sticks out of the brain's back."""
    voxels = np.zeros(BRAIN_MASK.shape, np.uint8)
    voxels[5:10, 0:12, 8:14] = 1
    image = nib.Nifti1Image(voxels, BRAIN_MASK.affine)
    return image.as_reoriented(np.array(order)) if order else image


def looked_at(image):
    return examine(image, BRAIN_MASK, REGISTRY, lambda: BRAIN_VOXELS)


def volume_of(image, background=None):
    examined = looked_at(image)
    scene = scene_of(examined, BRAIN_MASK, BRAIN_VOXELS)
    return view_volume(scene, scene.image, BRAIN_MASK, BRAIN_VOXELS, background)


def page_of(image, accepted=True, entry=ENTRY, name="a", background=None) -> str:
    return view_page(looked_at(image), BRAIN_MASK, BRAIN_VOXELS, name, entry, accepted, background)


def where(volume, *numbers) -> set[tuple[float, ...]]:
    """Return the centres in mm of the cubes that have these numbers of colours."""
    cubes = np.argwhere(np.isin(volume.over, numbers))
    return {tuple(mm) for mm in apply_affine(volume.affine, cubes).round(6)}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_image_is_where_its_header_puts_it(order):
    volume = volume_of(block(order))
    expected = apply_affine(BRAIN_MASK.affine, np.argwhere(block().dataobj))
    assert where(volume, IN_BRAIN, OUT_OF_BRAIN) == {tuple(mm) for mm in expected}
    in_brain = np.argwhere((np.asarray(block().dataobj) == 1) & BRAIN_VOXELS)
    assert where(volume, IN_BRAIN) == {
        tuple(mm) for mm in apply_affine(BRAIN_MASK.affine, in_brain)
    }
    # It begins in the middle of it.
    assert volume.start == (-15, -30, -2) or volume.start == (-15, -28, -2)
    assert volume.start in where(volume, IN_BRAIN, OUT_OF_BRAIN)


def test_outline_and_silhouette_are_those_of_the_brain():
    volume = volume_of(one_voxel())
    brain = {tuple(mm) for mm in apply_affine(BRAIN_MASK.affine, np.argwhere(BRAIN_VOXELS))}
    shown = np.argwhere(volume.under == np.float32(BRAIN_LIGHT))
    assert {tuple(mm) for mm in apply_affine(volume.affine, shown)} == brain
    assert set(np.unique(volume.under)) == {np.float32(each) for each in (0, GRID_LIGHT, 1)}
    edge = where(volume, EDGE)
    assert edge < brain
    for mm in edge:
        beside = [tuple(np.add(mm, step)) for step in (*(2 * np.eye(3)), *(-2 * np.eye(3)))]
        assert any(each not in brain for each in beside)
    # All of the brain, and a little more.
    lowest = np.array(sorted(brain)).min(axis=0)
    assert np.all(volume.affine[:3, 3] <= lowest - AROUND)


FINE = np.diag([0.2, 0.2, 0.2, 1]).astype(float)
GRIDS = {
    "finer": BRAIN_MASK.affine @ FINE,
    "coarser": moved(-30, -38, -30, np.diag([5.0, 5, 5, 1])),
    "rotated": rotated(2, 31.0) @ np.linalg.inv(MASK.affine) @ BRAIN_MASK.affine,
    "half a voxel off": moved(1, 1, 1, BRAIN_MASK.affine),
    "beyond the grid": moved(-40, 0, 0, BRAIN_MASK.affine),
}


@pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)
def test_each_voxel_is_shown_whatever_the_grids(affine):
    voxels = np.zeros((20, 22, 18), np.uint8)
    voxels[4, 6, 5] = voxels[4, 6, 6] = voxels[13, 17, 9] = 1
    volume = volume_of(nib.Nifti1Image(voxels, affine))
    to_cube = np.linalg.inv(volume.affine) @ affine
    indices, cubes = np.argwhere(voxels), np.argwhere(volume.over >= IN_BRAIN)

    def apart(one, other) -> np.ndarray:
        """Return how far each is from each other one, along the axis in which that is most."""
        return np.abs(one[:, None] - other[None]).max(axis=2)

    # Each voxel's centre lies in a cube, or a cube's centre in the voxel, and so for each cube.
    met = apart(apply_affine(to_cube, indices), cubes) <= 0.5 + 1e-6
    met |= apart(indices, apply_affine(np.linalg.inv(to_cube), cubes)) <= 0.5 + 1e-6
    assert met.any(axis=1).all()
    assert met.any(axis=0).all()
    assert volume.start in where(volume, IN_BRAIN, OUT_OF_BRAIN)


def test_background_is_as_bright_as_it_is_there():
    values = np.random.default_rng(0).random((40, 50, 40)).astype(np.float32)
    affine = moved(-45, -50, -40, np.diag([2.3, 2.1, 2.2, 1]))
    background = Background("t1.nii.gz", "0" * 64, affine, values, 0.1, 0.9)
    volume = volume_of(block(), background)
    for cube in np.random.default_rng(1).integers(volume.under.shape, size=(50, 3)):
        mm = apply_affine(volume.affine, cube)
        assert volume.under[tuple(cube)] == pytest.approx(
            float(background.brightness(mm[None])[0]), abs=1e-5
        )


NOWHERE = {verdict: make for make, verdict, _ in CASES.values()}


@pytest.mark.parametrize("verdict", ["no_orientation", "qform_sform_mismatch", "not_3d"])
def test_image_without_a_position_has_a_page_that_says_so(verdict, tmp_path):
    found = examine(NOWHERE[verdict](tmp_path), MASK, REGISTRY, lambda: INSIDE)
    text = view_page(found, MASK, INSIDE, "a", ENTRY, False)
    why = "were not read" if verdict == "not_3d" else "not known where its voxels lie"
    assert f"rejected: {verdict}" in text
    assert html.escape(found.comparison.detail, quote=True).replace("&#x27;", "&#39;") in text
    assert re.search(f"There is nothing to move through. [^.]*{why}", text)
    assert "<iframe" not in text


def test_empty_image_has_a_page_that_says_so():
    text = page_of(nib.Nifti1Image(np.zeros(BRAIN_MASK.shape, np.uint8), BRAIN_MASK.affine))
    assert "There is nothing to move through. No voxel of it is above 0.5." in text


def test_what_comes_from_tables_and_files_is_escaped(tmp_path):
    nasty = "<script>alert('1')</script>"
    found = replace(looked_at(one_voxel()), comparison=judged_as("not_an_image", why=nasty))
    entry = {"image": f"{nasty}.nii", "mask": f'"{nasty}'}
    found = replace(found, grid=None, counted=None)
    text = view_page(found, BRAIN_MASK, BRAIN_VOXELS, nasty, entry, False)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 6


def test_nilearn_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "nilearn", None)
    with pytest.raises(MaskError, match=r"need nilearn: install .* requirements-view\.txt"):
        view_image(
            "a", "found.json", PublishedMask("", BRAIN_MASK), Policy((), ()), tmp_path / "a.html"
        )


# --- With nilearn, in a browser ---------------------------------------------------------------

# Called by the page, before anything else is: what is written on the canvas, and where.
WRITTEN = """
window.written = {};
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const name = /^[xyz] = /.test(text) ? text[0] : text;
  (window.written[name] ||= []).push([text, x]);
  return write.apply(this, arguments);
};
"""
# The columns of the canvas in which there is red.
COLUMNS = """
() => {
  const canvas = document.querySelector("canvas");
  const { width, height } = canvas;
  const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const columns = new Set();
  for (let at = 0; at < data.length; at += 4)
    if (data[at] - data[at + 1] > 90 && data[at] - data[at + 2] > 70)
      columns.add((at / 4) % width);
  return [...columns].sort((one, other) => one - other);
}
"""


# Advice on speed, which is none of ours: the test reads the canvas, and so does the viewer.
ADVICE = "willReadFrequently"


class View:
    """A page that is open in a browser."""

    def __init__(self, browser, path: Path) -> None:
        self.page = browser.open(path, script=WRITTEN)
        self.canvas = self.page.frame_locator("iframe").locator("canvas")
        self.canvas.wait_for()
        self.frame = self.page.frames[1]
        self.frame.wait_for_function("window.written.z !== undefined")

    @property
    def coordinates(self) -> tuple[int, ...]:
        """What is written below the planes."""
        last = self.frame.evaluate("['x', 'y', 'z'].map((name) => written[name].at(-1)[0])")
        return tuple(int(text.split(" = ")[1]) for text in last)

    def labels(self) -> list[tuple[float, float]]:
        """Where L and R are written, in the coronal and in the axial plane."""
        left, right = (
            {x for _, x in self.frame.evaluate(f"written.{name}")} for name in ("L", "R")
        )
        return list(zip(sorted(left), sorted(right), strict=True))

    def seen(self) -> list[int]:
        """The columns of the canvas in which the image is seen."""
        return self.frame.evaluate(COLUMNS)

    def in_planes(self, shape) -> list[list[int]]:
        """The same, by plane: sagittal, coronal, axial."""
        columns = self.seen()
        ends = self.ends(shape)
        return [
            [c for c in columns if low <= c < high]
            for low, high in zip([0, *ends], ends, strict=False)
        ]

    def ends(self, shape) -> list[float]:
        """The right ends of the planes on the canvas."""
        width = self.canvas.evaluate("canvas => canvas.width")
        y, x = shape[1], shape[0]
        return [width * y / (y + 2 * x), width * (y + x) / (y + 2 * x), width]

    def click(self, shape, x: int, y: int) -> None:
        """Click on the cube of these numbers in the axial plane."""
        ends = self.ends(shape)
        width = ends[2] - ends[1]
        box = self.canvas.bounding_box()
        # Its plane is as high as the widest one is, at the most.
        tall = width * shape[1] / shape[0]
        tallest = max(tall, width * shape[2] / shape[0])
        at_x = ends[1] + 1 + (width - 3) * x / (shape[0] - 1)
        at_y = (tallest + tall) / 2 - 1 - (tall - 2) * y / (shape[1] - 1)
        self.page.mouse.click(box["x"] + at_x, box["y"] + at_y)


@pytest.fixture
def viewing(browser, tmp_path):
    """Return a function that opens the view of an image."""
    pytest.importorskip("nilearn", reason="requirements-view.txt is not installed")

    def view(image) -> View:
        path = tmp_path / "a.html"
        path.write_text(page_of(image), encoding="utf-8")
        return View(browser, path)

    yield view
    browser.complaints[:] = [text for text in browser.complaints if ADVICE not in text]


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_view_shows_one_voxel_at_its_coordinates_on_its_side(viewing, order):
    """In each plane; and in none of them once one has moved to the next cube."""
    volume = volume_of(one_voxel(order))
    shape = volume.over.shape
    view = viewing(one_voxel(order))
    assert view.coordinates == volume.start == (-13, 8, 14)
    assert all(view.in_planes(shape))
    for (left, right), columns in zip(view.labels(), view.in_planes(shape)[1:], strict=True):
        assert left < np.mean(columns) < (left + right) / 2
    x, y, _ = np.rint(apply_affine(np.linalg.inv(volume.affine), volume.start)).astype(int)
    view.click(shape, x + 1, y)
    assert view.coordinates == (-11, 8, 14)
    sagittal, coronal, axial = view.in_planes(shape)
    assert (bool(sagittal), bool(coronal), bool(axial)) == (False, True, True)
    view.click(shape, x, y - 1)
    assert view.coordinates == (-13, 6, 14)
    assert [bool(columns) for columns in view.in_planes(shape)] == [True, False, True]
    view.click(shape, shape[0] - 1, 0)
    first, last = apply_affine(volume.affine, [[0, 0, 0], np.array(shape) - 1])
    assert view.coordinates == (last[0], first[1], 14)


def test_view_needs_no_network(viewing, browser, tmp_path):
    view = viewing(block())
    # Nor could it use one: the browser is told so.
    blocked = view.frame.evaluate(
        "fetch('http://127.0.0.1:9/').then(() => 'fetched', (error) => String(error))"
    )
    assert "Failed to fetch" in blocked
    assert browser.complaints
    assert all("Content Security Policy" in text for text in browser.complaints)
    browser.complaints.clear()
    text = html.unescape((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)


def test_view_follows_the_mouse_and_the_width_of_a_phone(viewing):
    view = viewing(block())
    before = view.coordinates
    box = view.canvas.bounding_box()
    mouse = view.page.mouse
    mouse.move(box["x"] + 50, box["y"] + 80)
    mouse.down()
    mouse.move(box["x"] + 120, box["y"] + 120)
    dragged = view.coordinates
    mouse.up()
    assert dragged != before
    mouse.move(box["x"] + 60, box["y"] + 60)
    assert view.coordinates == dragged
    view.page.set_viewport_size({"width": 390, "height": 844})
    assert view.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_run_writes_views_of_accepted_and_rejected_images(workflow, images):
    pytest.importorskip("nilearn", reason="requirements-view.txt is not installed")
    images("same", "moved", "lost")
    workflow.succeed("qc/same.html", "qc/moved.html", "qc/lost.html")
    for name, words in (
        ("same", "accepted: identical"),
        ("moved", "rejected: shifted"),
        ("lost", "rejected: no_orientation"),
    ):
        page = (workflow.folder / "qc" / f"{name}.html").read_text()
        assert f"{name} over A_2mm" in page
        assert words in page
        assert ("<iframe" in page) == (name != "lost")
    assert "Nothing to be done" in workflow.succeed("qc/same.html")
    # One that is not what was checked is not shown, whatever its age.
    (workflow.folder / "qc" / "same.html").unlink()
    path = workflow.folder / "lesions" / "same.nii.gz"
    times = path.stat()
    voxels = np.asarray(nib.load(path).dataobj).copy()
    voxels[tuple(np.argwhere(voxels)[0])] = 0
    save_image(path, voxels)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    printed = workflow.fail("qc/same.html", "--rerun-triggers", "params")
    assert "changed since it was checked" in printed
    assert not (workflow.folder / "qc" / "same.html").exists()


def test_page_leads_to_views_if_they_are_asked_for_and_a_report_does_not(workflow, images, browser):
    pytest.importorskip("nilearn", reason="requirements-view.txt is not installed")
    images("same", "las", interactive=True, masks=["A_2mm"], accept=["identical", "reoriented"])
    workflow.succeed("qc")
    page = browser.open(workflow.folder / "qc" / "images.html")
    page.get_by_role("link", name="Move through it").first.click()
    assert page.title() == "same over A_2mm"
    assert page.frame_locator("iframe").locator("canvas").is_visible()
    workflow.succeed("qc", "--report", "report.html")
    report = browser.open(workflow.folder / "report.html")
    for words in ("Results", "Images"):
        report.get_by_text(words, exact=True).click()
    report.locator("tr", has_text="(all: table of verdicts)").locator("a").first.click()
    framed = report.frame_locator("iframe")
    framed.get_by_text("a report lists them beside this page").wait_for()
    assert framed.locator(".view:visible").count() == 0
    # Of the report itself.
    browser.complaints[:] = [text for text in browser.complaints if "tailwindcss" not in text]
