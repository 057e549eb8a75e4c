# SPDX-License-Identifier: MIT
"""Pictures, the table and the report of masks."""

import base64
import html
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support import (
    REPO,
    module,
    rule_all,
    save_image,
    served_registry,
    served_repository,
)

from brainmasks import InvalidMaskError, MaskError
from brainmasks.images import Policy
from brainmasks.images.findings import Finding
from brainmasks.images.verdicts import judged_as
from brainmasks.qc.image_page import image_page
from brainmasks.qc.mask_page import mask_page
from brainmasks.qc.mask_picture import POINTS, draw_mask, montage_of
from brainmasks.qc.montage import DPI
from brainmasks.qc.montage_png import as_png

matplotlib = pytest.importorskip("matplotlib", reason="requirements-qc.txt is not installed")

LAS = [[0, -1], [1, 1], [2, 1]]
# Superior, then anterior, then left: nothing is where it was.
TURNED = [[2, -1], [1, 1], [0, 1]]


@pytest.fixture
def image():
    """Return a mask without any symmetry."""
    voxels = np.zeros((30, 40, 20), np.uint8)
    voxels[3:20, 5:30, 2:15] = 1
    voxels[3:6, 5:12, 10:15] = 0
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-30, -44, -18)
    return nib.Nifti1Image(voxels, affine)


def picture(image, name: str = "A_2mm", served: str | None = None) -> bytes:
    """Return the PNG of a mask."""
    return as_png(montage_of(image, name, served))


def pixels_of(png: bytes) -> np.ndarray:
    """Return red, green and blue of each pixel, by rows from the top."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.parametrize("order", [LAS, TURNED], ids=["LAS", "turned"])
def test_picture_is_the_same_however_the_mask_is_stored(image, order):
    other = image.as_reoriented(order)
    assert other.shape != image.shape or not np.array_equal(other.dataobj, image.dataobj)
    assert picture(other, "A_2mm") == picture(image, "A_2mm")


@pytest.mark.parametrize("order", [None, LAS], ids=["RAS", "LAS"])
@pytest.mark.parametrize("side", ["L", "R"])
def test_hemisphere_is_drawn_on_the_side_of_its_letter(image, side, order):
    x = nib.affines.apply_affine(image.affine, np.argwhere(np.ones(image.shape)))[:, 0]
    voxels = ((x < -4) if side == "L" else (x > 4)).reshape(image.shape).astype(np.uint8)
    half = nib.Nifti1Image(voxels, image.affine)
    found = montage_of(half.as_reoriented(order) if order else half, "A_2mm")
    pixels = pixels_of(as_png(found))
    blue = (pixels[:, :, 2] - pixels[:, :, 0]) > 60
    letters = {"L": [], "R": []}
    for text in found.texts:
        if text.text in letters:
            letters[text.text].append(text.x * DPI)
    panels = [panel for panel in found.panels if panel.plane in ("Coronal", "Axial")]
    assert len(panels) == len(letters["L"]) == len(letters["R"]) == 14
    for panel, left, right in zip(panels, letters["L"], letters["R"], strict=True):
        x0, (width, height) = panel.left, panel.pixels.shape
        assert x0 <= left < right <= x0 + width
        rows = blue[panel.top : panel.top + height, x0 : x0 + width]
        columns = x0 + np.flatnonzero(rows.any(axis=0))
        middle = (left + right) / 2
        assert columns.max() < middle if side == "L" else columns.min() > middle


def test_slices_are_where_their_labels_say(image):
    found = montage_of(image, "A_2mm")
    data = np.asarray(image.dataobj)
    labels = [
        re.fullmatch(r"([xyz]) = (\S+) mm", text.text.replace("\N{MINUS SIGN}", "-"))
        for text in found.texts
    ]
    labels = [match for match in labels if match]
    assert len(labels) == len(found.panels) == 21
    for match, panel in zip(labels, found.panels, strict=True):
        axis = "xyz".index(match[1])
        index = (float(match[2]) - image.affine[axis, 3]) / 2
        assert index == int(index)
        # In the middle of each voxel, the pixel is wholly of the mask or not at all.
        voxels = data.take(int(index), axis)
        middles = [
            ((np.arange(voxels) + 0.5) * pixels / voxels).astype(int)
            for voxels, pixels in zip(voxels.shape, panel.pixels.shape, strict=True)
        ]
        assert np.array_equal(panel.pixels[np.ix_(*middles)], voxels * POINTS**2)
        right, up = (n for n in range(3) if n != axis)
        corners = [
            image.affine[n, 3] - 1 + 2 * edge * data.shape[n]
            for n in (right, up)
            for edge in (0, 1)
        ]
        assert panel.extent == pytest.approx(corners)


def test_title_states_name_voxels_and_volume(image):
    found = montage_of(image, "B_2mm", served="A")
    texts = " ".join(text.text for text in found.texts)
    voxels = int(np.sum(image.dataobj))
    for words in (
        "B_2mm",
        "served: A",
        f"{voxels:,} voxels of 2 mm",
        f"{voxels * 8 / 1000:.1f} ml",
        "grid 30 x 40 x 20",
    ):
        assert words in texts
    assert texts.count("Neurological convention") == 1


def test_drawing_leaves_the_settings_of_its_caller_alone(image):
    before = picture(image, "A_2mm")
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 40, "image.origin": "lower"}):
        # All but the backend, which matplotlib chooses, and imports pyplot for, when it is asked.
        names = [name for name in matplotlib.rcParams if name != "backend"]
        settings = [matplotlib.rcParams[name] for name in names]
        assert picture(image, "A_2mm") == before
        assert [matplotlib.rcParams[name] for name in names] == settings


def test_drawing_imports_no_figures(image, tmp_path):
    nib.save(image, tmp_path / "A_2mm.nii.gz")
    code = (
        "import sys, nibabel; from brainmasks.qc.mask_picture import montage_of; "
        "from brainmasks.qc.montage_png import as_png; "
        "as_png(montage_of(nibabel.load(sys.argv[1]), 'A_2mm')); "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'matplotlib.figure' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "A_2mm.nii.gz")],
        cwd=REPO / "scripts",
        check=True,
    )


def test_every_text_is_in_the_png_in_its_ink(image):
    found = montage_of(image, "A_2mm", served="B")
    pixels = pixels_of(as_png(found))
    for text in found.texts:
        ink = [int(text.color[n : n + 2], 16) for n in (1, 3, 5)]
        x, base = round(text.x * DPI), round(text.y * DPI)
        rows = pixels[base - round(text.size * DPI / 72) : base, :]
        # Next to where it starts, ends, or is in the middle.
        near = {"l": slice(x, x + 20), "r": slice(x - 20, x), "m": slice(x - 20, x + 20)}
        assert np.all(rows[:, near[text.anchor]] == ink, axis=2).any(), text
    assert np.all(pixels[:, 0] == 255)


def test_thin_mask_has_each_of_its_slices_drawn_once(image):
    voxels = np.zeros(image.shape, np.uint8)
    voxels[10:12, 20, 5:8] = 1
    found = montage_of(nib.Nifti1Image(voxels, image.affine), "A_2mm")
    names = [panel.plane for panel in found.panels]
    assert [names.count(name) for name in ("Sagittal", "Coronal", "Axial")] == [2, 1, 3]


def test_what_cannot_be_drawn_is_an_expected_failure(image):
    turned = image.affine.copy()
    turned[0, 1] = 0.5
    for voxels, affine, words in (
        (np.zeros((4, 4, 4), np.uint8), image.affine, "it is empty"),
        (np.ones((4, 4, 4, 1), np.uint8), image.affine, "4 dimensions"),
        (np.ones((4, 4, 4), np.uint8), turned, "oblique"),
    ):
        with pytest.raises(InvalidMaskError, match=words):
            montage_of(nib.Nifti1Image(voxels, affine), "A_2mm")


def test_mask_or_sidecar_that_is_not_what_is_registered_is_not_drawn(bench):
    bench.run()
    mask, path, sidecar = bench.metadata, bench.mask, bench.sidecar
    states = json.loads(sidecar.read_text())
    picture_path = bench.folder / "A_2mm.png"
    for written, stated, words in (
        (bench.data, states | {"Voxels": 1}, "the sidecar .* does not say what is registered"),
        (bench.other, states, "it has content of SHA-256"),
        (bench.data[:-1], states, "cut off"),
        (b"", states, "empty"),
    ):
        path.write_bytes(written)
        sidecar.write_text(json.dumps(stated))
        with pytest.raises(InvalidMaskError, match=f"mask A_2mm: .*{words}.* Run again"):
            draw_mask(mask, path, sidecar, picture_path)
        assert not picture_path.exists()
    path.write_bytes(bench.data)
    draw_mask(mask, path, sidecar, picture_path)
    assert picture_path.exists()


def test_matplotlib_that_is_missing_is_named(image, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MaskError, match=r"need matplotlib: install .* requirements-qc\.txt"):
        picture(image, "A_2mm")


def test_table_escapes_what_it_is_given():
    nasty = '<script>alert("1")</script>'
    sidecar = {
        "SpaceRequested": "A",
        "SpaceServed": nasty,
        "Grid": {
            "Shape": [6, 7, 5],
            "VoxelSize": [2, 2, 2],
            "Origin": [-6, -8, -4.5],
            "Units": "mm",
            "Orientation": "RAS",
        },
        "Voxels": 1234,
        "VolumeML": 9.872,
        "Sources": [nasty],
        "Recoded": True,
        "VerifiedBy": "sha256",
        "SHA256": "a" * 64,
        "ContentSHA256": "b" * 64,
        "License": "javascript:alert(1)",
        "ReferencesAndLinks": ["https://example.org/?a=1&b='2'", nasty],
    }
    text = mask_page({"A_2mm": sidecar})
    assert (text.count("<script"), "<script>alert" in text) == (1, False)
    links = ["./A_2mm.png", "https://example.org/?a=1&amp;b=&#39;2&#39;"]
    assert re.findall('href="([^"]*)"', text) == links
    for words in ("1,234", "9.9 ml", "6 x 7 x 5", "origin -6, -8, -4.5 mm", ", recoded"):
        assert words in text


def test_table_of_images_escapes_what_it_is_given():
    nasty = '<script>alert("1")</script>'
    lost = replace(
        judged_as("not_an_image", why=nasty), findings=(Finding("name_contradicts", nasty),)
    )
    found = {"a": ({"image": nasty, "mask": "A_2mm"}, lost)}
    text = image_page(found, Policy([], []))
    assert (text.count("<script"), "<script>alert" in text) == (1, False)
    # The image, and what was found of it twice.
    assert text.count("&lt;script&gt;") == 3


def results(report: Path) -> dict:
    """Return what a report holds, by path."""
    found = re.search(r"\bvar results = (\{.*?\});?\n", report.read_text(encoding="utf-8"))
    return json.loads(found[1])


def content(result: dict) -> bytes:
    """Return the file that a report holds as a data URI."""
    return base64.b64decode(result["data_uri"].partition(";base64,")[2])


def assert_reported(folder: Path, masks, prefix: str = "", images=()) -> None:
    """See that the report holds every picture and the tables, with their captions."""
    found = results(folder / "report.html")
    table = f"{prefix}qc/masks.html"
    pictures = {f"{prefix}qc/{mask}.png": mask for mask in masks}
    of_images = {f"{prefix}qc/{image}.png": image for image in images}
    verdicts = {f"{prefix}qc/images.html"} if images else set()
    assert set(found) == {table, *pictures, *of_images, *verdicts}
    for path, image in of_images.items():
        assert content(found[path]) == (folder / path).read_bytes()
        assert found[path]["labels"] == {"image": image, "mask": "A_2mm"}
        assert "red inside the brain and yellow outside" in found[path]["caption"]
    for path in verdicts:
        assert found[path]["labels"] == {"image": "(all: table of verdicts)", "mask": "(all)"}
        assert "voxels inside and outside the brain in world space" in found[path]["caption"]
        text = content(found[path]).decode()
        for each in json.loads((folder / f"{prefix}qc/images.json").read_text()):
            assert f"<strong>{each['id']}</strong>" in text
            assert f"<div>{each['verdict']}</div>" in text
            assert html.escape(each["detail"]) in text
            for note in each["findings"]:
                assert f"<div>{note['code']}</div>" in text
                assert html.escape(note["detail"]) in text
            assert f"{each['voxels_outside']:,} outside" in text
            assert each["hemisphere"] in text
    for path, mask in pictures.items():
        assert content(found[path]) == (folder / path).read_bytes()
        assert content(found[path]).startswith(b"\x89PNG")
        assert found[path]["labels"] == {"mask": mask}
        assert f"<strong>{mask}</strong>" in found[path]["caption"]
        assert "Neurological convention" in found[path]["caption"]
    text = content(found[table]).decode()
    assert "what to cite" in found[table]["caption"]
    for mask in masks:
        sidecar = json.loads((folder / f"{prefix}masks/{mask}.json").read_text())
        for key in ("SHA256", "ContentSHA256", "License"):
            assert html.escape(sidecar[key]) in text
        assert f"{sidecar['Voxels']:,}" in text
        assert sidecar["Sources"][0] in text


def test_report_of_the_workflow_alone(workflow, tiny):
    printed = workflow.succeed("qc")
    assert "Nothing to be done" in workflow.succeed("qc")
    assert "localrule draw_mask:" in printed
    workflow.succeed("qc", "--report", "report.html")
    assert_reported(workflow.folder, ["A_2mm", "B_2mm"])
    # Nothing of this machine in what is handed on.
    assert str(Path.home()) not in json.dumps(results(workflow.folder / "report.html"))


def test_report_of_images(workflow, images):
    images("same", "las", accept=["identical", "reoriented"])
    workflow.succeed("qc")
    assert "Nothing to be done" in workflow.succeed("qc")
    workflow.succeed("qc", "--report", "report.html")
    assert_reported(workflow.folder, ["A_2mm", "B_2mm"], images=["same", "las"])
    # Parameters are repeated for each picture: a list of all images would be, too.
    assert "lesions/same.nii.gz" not in (workflow.folder / "report.html").read_text()


def test_all_images_are_drawn_by_one_job_and_again_if_one_changes(workflow, images, lesion):
    images("same", "las")
    printed = workflow.succeed("qc/las.png")
    assert printed.count("rule draw_images:") == 1
    before = {n: (workflow.folder / "qc" / f"{n}.png").read_bytes() for n in ("same", "las")}
    assert "Nothing to be done" in workflow.succeed("qc/same.png", "qc/las.png")
    lesion[0, 0, 0] = 1 - lesion[0, 0, 0]
    save_image(workflow.folder / "lesions" / "same.nii.gz", lesion)
    workflow.succeed("qc/same.png", "qc/las.png")
    assert (workflow.folder / "qc" / "same.png").read_bytes() != before["same"]
    # That one was the same lesion, which its picture said.
    assert (workflow.folder / "qc" / "las.png").read_bytes() != before["las"]
    # The same files, but another mask for one of them.
    table = Path(workflow.config["images"])
    table.write_text(table.read_text() + "lesions/moved.nii.gz\tB_2mm\tmoved\n")
    workflow.succeed("qc/moved.png")
    table.write_text(table.read_text().replace("las.nii.gz\tA_2mm", "las.nii.gz\tB_2mm"))
    assert "rule draw_images:" in workflow.succeed("--dry-run", "qc/las.png")


def test_rejected_images_are_drawn_all_the_same(workflow, images):
    images("same", "las", "moved", "lost")
    (workflow.folder / "lesions" / "lost.nii.gz").write_bytes(b"no image")
    # With one core the order of jobs is that of their priorities, and what comes late is lost.
    printed = workflow.fail("qc", "--cores", "1")
    assert "3 of 4 images are not accepted (las, moved, lost); open qc/images.html" in printed
    for name in ("same", "las", "moved", "lost", "A_2mm", "B_2mm"):
        assert (workflow.folder / "qc" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    page = (workflow.folder / "qc" / "images.html").read_text()
    assert (page.count(">accepted<"), page.count(">rejected<")) == (1, 3)
    assert "A_2mm" in (workflow.folder / "qc" / "masks.html").read_text()
    assert "lost" in (workflow.folder / "qc" / "images.rejected.tsv").read_text()
    shown = ("qc/lost.png", "qc/images.html", "qc/masks.html")
    assert "Nothing to be done" in workflow.succeed(*shown)


def test_report_of_a_module_with_images(workflow, images, server, tmp_path):
    images("same", "las", accept=["identical", "reoriented"])
    url = served_repository(server, tmp_path / "served")
    settings = workflow.config | {"masks": ["A_2mm"]}
    workflow.snakefile, workflow.config = None, {}
    (workflow.folder / "Snakefile").write_text(
        rule_all(
            "ext/qc/A_2mm.png",
            "ext/qc/masks.html",
            "ext/qc/same.png",
            "ext/qc/images.html",
            "ext/qc/images.tsv",
        )
        + "\n\n"
        + module(repr(f"{url}/workflow/Snakefile"), config=repr(settings), prefix="'ext'")
    )
    workflow.succeed("--cores", "2")
    assert "Nothing to be done" in workflow.succeed("--cores", "2", "bm_qc")
    workflow.succeed("--cores", "2", "--report", "report.html")
    assert_reported(workflow.folder, ["A_2mm"], prefix="ext/", images=["same", "las"])


@pytest.mark.parametrize("place", ["path", "http"])
def test_report_of_a_module(workflow, tiny, server, tmp_path, place):
    snakefile = str(REPO / "Snakefile")
    if place == "http":
        snakefile = f"{served_repository(server, tmp_path / 'served')}/workflow/Snakefile"
    settings = workflow.config | {"masks": ["A_2mm"]}
    workflow.snakefile, workflow.config = None, {}
    (workflow.folder / "Snakefile").write_text(
        rule_all("ext/qc/A_2mm.png", "ext/qc/masks.html")
        + "\n\n"
        + module(repr(snakefile), config=repr(settings), prefix="'ext'")
    )
    workflow.succeed("--cores", "2")
    assert "Nothing to be done" in workflow.succeed("--cores", "2", "bm_qc")
    workflow.succeed("--cores", "2", "--report", "report.html")
    assert_reported(workflow.folder, ["A_2mm"], prefix="ext/")


def test_misspelt_mask_is_named_as_for_masks(workflow, tiny):
    printed = workflow.fail("--dry-run", "qc/a_2mm.png")
    assert "no mask is registered for 'a_2mm'; did you mean A_2mm?" in printed
    assert "no image" not in printed


def test_misspelt_picture_is_named_with_images(workflow, images):
    images("same", "las")
    printed = workflow.fail("--dry-run", "qc/sam.png")
    assert "no image of config key 'images' has the id 'sam'; did you mean same?" in printed


OWN_PICTURES = """
rule draw:
    output: "qc/{name}.png"
    shell: "echo {wildcards.name} > {output}"

rule page:
    output: "qc/{name}.html"
    shell: "echo {wildcards.name} > {output}"

"""


def test_host_with_pictures_of_its_own_below_qc_is_not_disturbed(workflow, tiny):
    (workflow.folder / "Snakefile").write_text(
        rule_all("qc/sub-01.png", "qc/own.html")
        + OWN_PICTURES
        + module(repr(str(REPO / "Snakefile")), config=repr(workflow.config))
    )
    workflow.snakefile, workflow.config = None, {}
    printed = workflow.succeed("--cores", "2")
    assert "registered" not in printed
    assert (workflow.folder / "qc" / "sub-01.png").read_text() == "sub-01\n"


def test_picture_of_a_real_mask_served_for_another_space(workflow, server, real, tmp_path):
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    workflow.config = {"registry": str(registry), "mirrors": False}
    path = workflow.folder / "qc" / "MNI152NLin2009aAsym_2mm.png"
    workflow.succeed("qc/MNI152NLin2009aAsym_2mm.png")
    image = nib.load(workflow.mask("MNI152NLin2009aAsym_2mm"))
    assert path.read_bytes() == picture(image, path.stem, served="MNI152NLin2009cAsym")
    assert "Nothing to be done" in workflow.succeed("qc/MNI152NLin2009aAsym_2mm.png")
