# SPDX-License-Identifier: MIT
"""A T1 image under images: what is drawn of it, which are refused, when it is drawn again."""

import gzip
import hashlib
import io
import os
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from image_cases import MASK, REGISTRY
from support import REPO, TINY_AFFINE, module, rule_all, save_image, sha256

from brainmasks import RegistryError
from brainmasks.images import PublishedMask, backgrounds_of
from brainmasks.images.compare import examine
from brainmasks.nifti import as_nii_gz
from brainmasks.qc.background import BLACK, WHITE, BackgroundFile, background_under
from brainmasks.qc.image_picture import COLORS, OUTLINE, montage_over
from brainmasks.qc.image_scene import INSIDE, OUTSIDE
from brainmasks.qc.image_slice import OPACITY
from brainmasks.qc.montage import PLANES
from brainmasks.qc.montage_png import as_png
from brainmasks.registry import KnownBackground, shipped_backgrounds

pytest.importorskip("matplotlib", reason="requirements-qc.txt is not installed")

# A ball in the middle of a grid of 2 mm.
BALL = replace(MASK, name="A_2mm", shape=(24, 28, 22), origin=(-23.0, -27.0, -21.0))
CENTRES = np.stack(np.meshgrid(*map(np.arange, BALL.shape), indexing="ij"), axis=-1) * 2.0 + (
    BALL.origin
)
BALL_VOXELS = np.linalg.norm(CENTRES, axis=-1) < 18


def ramp(points: np.ndarray) -> np.ndarray:
    """Return a value for each point in mm that is another one everywhere, and linear."""
    return 500 + points @ (4.0, 2.0, -1.0)


def t1(affine, shape, order=None) -> nib.Nifti1Image:
    """Return an image of the ramp on a grid, stored in some order."""
    indices = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    values = ramp(nib.affines.apply_affine(affine, indices)).astype(np.float32)
    image = nib.Nifti1Image(values, affine)
    return image.as_reoriented(np.array(order)) if order else image


def affine_of(edge, *first) -> np.ndarray:
    affine = np.diag([edge, edge, edge, 1.0])
    affine[:3, 3] = first
    return affine


@pytest.fixture
def ball(tmp_path) -> PublishedMask:
    """Return the ball as a published mask."""
    data = as_nii_gz(nib.Nifti1Image(BALL_VOXELS.astype(np.uint8), BALL.affine))
    path = tmp_path / "A_2mm.nii.gz"
    path.write_bytes(data)
    content = sha256_of_content(data)
    return PublishedMask(path, replace(BALL, content_sha256=content, sha256=sha256(path)))


def sha256_of_content(data: bytes) -> str:
    return hashlib.sha256(gzip.decompress(data)).hexdigest()


def named(path) -> BackgroundFile:
    return BackgroundFile(str(path), sha256(path))


LESION = np.zeros(BALL.shape, np.uint8)
# In the left half, and out of the ball at the back.
LESION[4:9, 0:12, 8:13] = 1
STORED = {
    "RAS": (affine_of(2, *BALL.origin), BALL.shape, None),
    "LAS": (affine_of(2, *BALL.origin), BALL.shape, [[0, -1], [1, 1], [2, 1]]),
    "SAL": (affine_of(2, *BALL.origin), BALL.shape, [[2, -1], [1, 1], [0, 1]]),
    "finer, and larger": (affine_of(1.3, -40, -41, -42), (64, 66, 60), None),
}


def drawn(ball, background):
    """Yield each slice of a lesion: axis, mm, what its pixels cover, and their colours."""
    image = nib.Nifti1Image(LESION, BALL.affine)
    examined = examine(image, BALL, REGISTRY, lambda: BALL_VOXELS)
    picture = montage_over(examined, BALL, BALL_VOXELS, "a", "b", True, background)
    labels = [text.text for text in picture.texts if " mm" in text.text]
    labels = [text.replace("\N{MINUS SIGN}", "-").split() for text in labels if "=" in text]
    planes = {name: across for name, across, *_ in PLANES}
    for panel, (_, _, mm, _) in zip(picture.panels, labels, strict=True):
        yield planes[panel.plane], float(mm), panel.extent, panel.pixels / 255
    text = "\n".join(text.text for text in picture.texts)
    assert background.in_words in " ".join(text.split())
    assert "The brain's outline is blue." in text


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_each_pixel_is_as_bright_as_the_background_is_there(ball, tmp_path, stored):
    nib.save(t1(*stored), tmp_path / "t1.nii.gz")
    background = background_under(named(tmp_path / "t1.nii.gz"), ball)
    black, white = np.percentile(ramp(CENTRES[BALL_VOXELS]), (BLACK, WHITE))
    assert (background.black, background.white) == pytest.approx((black, white), rel=0.02)
    colors = {
        number: np.array([int(COLORS[number][n : n + 2], 16) for n in (1, 3, 5)]) / 255
        for number in (INSIDE, OUTSIDE)
    }
    outline = np.array([int(OUTLINE[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    seen = set()
    for across, mm, (left, right, bottom, top), pixels in drawn(ball, background):
        points = np.empty((*pixels.shape[:2], 3))
        wide, high = pixels.shape[:2]
        first, second = (axis for axis in range(3) if axis != across)
        points[..., across] = mm
        points[..., first] = (left + (np.arange(wide) + 0.5) * (right - left) / wide)[:, None]
        points[..., second] = bottom + (np.arange(high) + 0.5) * (top - bottom) / high
        value = (ramp(points) - background.black) / (background.white - background.black)
        gray = np.repeat(np.clip(value, 0, 1)[..., None], 3, axis=2)
        # Of the outermost half voxel nothing is known.
        known = np.all(np.abs(points) < np.array(BALL.shape) - 1, axis=-1)
        options = {
            "background": gray,
            "outline": np.broadcast_to(outline, gray.shape),
        }
        for number, color in colors.items():
            options[number] = gray + OPACITY * (color - gray)
            options[f"{number} over the outline"] = outline + OPACITY * (color - outline)
        fits = {
            what: np.all(np.abs(pixels - expected) < 5e-3, axis=-1)
            for what, expected in options.items()
        }
        assert np.all(np.any(list(fits.values()), axis=0)[known])
        # Red and yellow on the left only.
        for number in (INSIDE, OUTSIDE):
            assert np.all(points[fits[number] & ~fits["background"]][:, 0] < 0)
        seen |= {what for what, there in fits.items() if there.any()}
    assert seen >= {"background", "outline", INSIDE, OUTSIDE}


def test_png_has_the_colours_of_each_pixel(ball, tmp_path):
    """A palette has too few of them for a background."""
    from PIL import Image

    nib.save(t1(*STORED["RAS"]), tmp_path / "t1.nii.gz")
    background = background_under(named(tmp_path / "t1.nii.gz"), ball)
    examined = examine(nib.Nifti1Image(LESION, BALL.affine), BALL, REGISTRY, lambda: BALL_VOXELS)
    for under, mode in ((background, "RGB"), (None, "P")):
        picture = montage_over(examined, BALL, BALL_VOXELS, "a", "b", True, under)
        image = Image.open(io.BytesIO(as_png(picture)))
        assert image.mode == mode
        pixels = np.asarray(image.convert("RGB"))
        for panel in picture.panels:
            colors = panel.pixels if under else picture.colors[panel.pixels]
            width, height = colors.shape[:2]
            rows = pixels[panel.top : panel.top + height, panel.left : panel.left + width]
            assert np.array_equal(rows[::-1].swapaxes(0, 1), colors)


@pytest.mark.parametrize("order", [[[0, -1], [1, 1], [2, 1]], [[2, -1], [1, 1], [0, 1]]])
def test_picture_is_the_same_however_the_background_is_stored(ball, tmp_path, order):
    pictures = []
    for number, each in enumerate((None, order)):
        path = tmp_path / f"t1-{number}.nii.gz"
        nib.save(t1(*STORED["RAS"][:2], order=each), path)
        pictures.append(list(drawn(ball, background_under(named(path), ball))))
    for one, other in zip(*pictures, strict=True):
        assert one[:3] == other[:3]
        assert np.allclose(one[3], other[3], atol=1e-6)


def broken(change):
    """Return a function that writes a T1 image with a fault."""

    def write(path) -> None:
        image = t1(*STORED["RAS"][:2])
        change(path, image)

    return write


def unplaced(path, image) -> None:
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, path)


def twice_placed(path, image) -> None:
    image.set_qform(affine_of(2, 0, 0, 0), 1)
    image.set_sform(BALL.affine, 1)
    nib.save(image, path)


FAULTS = {
    "4D": (
        broken(lambda path, image: nib.save(nib.concat_images([image, image]), path)),
        r"it has 4 dimensions \(24x28x22x2\), expected 3",
    ),
    "no position": (broken(unplaced), "does not say where its voxels lie"),
    "two positions": (broken(twice_placed), "contradicts itself: qform and sform differ"),
    "half a head": (
        broken(lambda path, image: nib.save(image.slicer[:12], path)),
        "only 50% of the brain of A_2mm lie in it",
    ),
    "one value": (
        broken(lambda path, image: nib.save(nib.Nifti1Image(LESION * 0 + 7, BALL.affine), path)),
        "it shows nothing: nearly all of the brain has the value 7",
    ),
    "a lesion": (
        broken(lambda path, image: nib.save(nib.Nifti1Image(LESION, BALL.affine), path)),
        "it has two values in the brain, as a mask or a lesion",
    ),
    "NaN": (
        broken(
            lambda path, image: nib.save(
                nib.Nifti1Image(np.full(BALL.shape, np.nan, np.float32), BALL.affine), path
            )
        ),
        "only 0% of the brain",
    ),
    "cut off": (
        broken(lambda path, image: path.write_bytes(as_nii_gz(image)[:-50])),
        "cut off",
    ),
    "no image": (broken(lambda path, image: path.write_bytes(b"a page")), "not NIfTI"),
    "a folder": (lambda path: path.mkdir(), "it is a folder"),
}


@pytest.mark.parametrize(("write", "words"), FAULTS.values(), ids=FAULTS)
def test_file_that_can_be_no_background_is_refused_with_the_reason(ball, tmp_path, write, words):
    path = tmp_path / "t1.nii.gz"
    write(path)
    file = BackgroundFile(str(path), sha256(path) if path.is_file() else "")
    with pytest.raises(RegistryError, match=rf"'background': .*t1\.nii\.gz .* A: .*{words}"):
        background_under(file, ball)


def test_another_file_than_that_of_the_plan_is_not_drawn(ball, tmp_path):
    path = tmp_path / "t1.nii.gz"
    nib.save(t1(*STORED["RAS"]), path)
    file = named(path)
    nib.save(t1(*STORED["LAS"]), path)
    with pytest.raises(RegistryError, match="changed since this run was planned"):
        background_under(file, ball)


def test_file_of_another_space_is_known_by_its_content(ball, tmp_path, monkeypatch):
    """Whatever it is called, and however it is compressed."""
    path = tmp_path / "t1.nii"
    nib.save(t1(*STORED["RAS"]), path)
    rows = [KnownBackground("B", "package:b/t1.nii.gz", sha256(path))]
    monkeypatch.setattr("brainmasks.qc.background.shipped_backgrounds", lambda: rows)
    packed = tmp_path / "mine.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for each in (path, packed):
        with pytest.raises(RegistryError, match="it is the T1 image of B; give one of A"):
            background_under(named(each), ball)
    rows[0] = replace(rows[0], space="A")
    assert background_under(named(path), ball)
    # One that was found in a package must be known.
    rows.clear()
    with pytest.raises(RegistryError, match="not the file that this version of its package"):
        background_under(replace(named(packed), known=True), ball)


SETTINGS = {
    "misspelt space": ({"a": "t1.nii"}, "no mask of this space is registered; did you mean A?"),
    "alias": ({"Alias": "t1.nii"}, "Alias is served as A; give the background of A"),
    "URL": ({"A": "https://example.org/t1.nii"}, "is not on this machine; fetch it"),
    "package": ({"A": "package:no_such/t1.nii"}, "the Python package no_such is not installed"),
    "part": (
        {"A": "package:no_such.part/t1.nii"},
        "the Python package no_such.part is not installed",
    ),
    "no name": ({"A": "package:../t1.nii"}, r"the Python package \.\. is not installed"),
    "program": ({"A": "package:__main__/t1.nii"}, "the Python package __main__ is not installed"),
    "home": ({"A": "~no-such-user/t1.nii"}, "it cannot be looked at: Could not determine home"),
    "variable": ({"A": "${NO_SUCH_PLACE}/t1.nii"}, "NO_SUCH_PLACE is not set"),
    "name": ({"A": "/data/tpl-B_res-1_T1w.nii.gz"}, "says tpl-B; give an image of A"),
    "person": ({"A": "/data/sub-01_space-T1w_T1w.nii.gz"}, "says space-T1w; give an image of A"),
}


@pytest.mark.parametrize(("setting", "words"), SETTINGS.values(), ids=SETTINGS)
def test_setting_that_cannot_be_right_is_refused(setting, words):
    with pytest.raises(RegistryError, match=words):
        backgrounds_of(setting, REGISTRY)


def test_setting_names_files_there_or_not(machine):
    assert backgrounds_of(None, REGISTRY) == {}
    found = backgrounds_of({"A": "~/tpl-A_T1w.nii.gz", "B": "mine.nii"}, REGISTRY)
    assert found == {"A": f"{machine}/tpl-A_T1w.nii.gz", "B": "mine.nii"}


def test_installed_packages_are_found_and_their_files_are_those_of_the_table():
    found = backgrounds_of("installed", REGISTRY)
    spaces = {known.space for known in shipped_backgrounds()}
    assert set(found) <= spaces
    if not found:
        pytest.skip("no package here has a T1 image")
    for space, path in found.items():
        with gzip.open(path) as file:
            content = file.read()
        (known,) = (
            each
            for each in shipped_backgrounds()
            if each.content_sha256 == hashlib.sha256(content).hexdigest()
        )
        assert known.space == space


def test_pictures_are_drawn_again_if_the_background_has_another_content(workflow, images):
    images("same", "las", background={"A": "t1.nii.gz"})
    path = workflow.folder / "t1.nii.gz"
    picture = workflow.folder / "qc" / "same.png"
    nib.save(t1(TINY_AFFINE, (6, 7, 5)), path)
    workflow.succeed("qc/same.png")
    before = picture.read_bytes()
    assert "Nothing to be done" in workflow.succeed("qc/same.png")
    times = path.stat()
    save_image(path, np.random.default_rng(0).random((6, 7, 5), np.float32))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    workflow.succeed("qc/same.png")
    assert picture.read_bytes() != before
    # One of another shape is refused, in one line, and what was drawn is gone.
    save_image(path, np.ones((2, 2, 2), np.float32))
    printed = workflow.fail("qc/same.png")
    assert "config key 'background': t1.nii.gz cannot be that of A: only " in printed
    # Without one, as if there never had been.
    workflow.config["background"] = None
    assert "rule draw_images:" in workflow.succeed("qc/same.png")


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="there is no /proc here")
def test_background_that_cannot_be_read_is_named_by_the_job(workflow, images):
    """A file whose first bytes nobody can read, not even root."""
    images("same", background={"A": "/proc/self/mem"})
    printed = workflow.fail("qc/same.png")
    assert "'background': /proc/self/mem cannot be that of A: Input/output error" in printed
    assert "InputFunctionException" not in printed


def test_background_may_be_made_by_a_rule_of_the_host(workflow, images):
    images("same", background={"A": "made/t1.nii.gz"})
    nib.save(t1(TINY_AFFINE, (6, 7, 5)), workflow.folder / "t1.nii.gz")
    (workflow.folder / "Snakefile").write_text(
        rule_all("qc/same.png")
        + '\nrule t1:\n    input: "t1.nii.gz"\n    output: "made/t1.nii.gz"\n'
        + '    shell: "cp {input} {output}"\n\n'
        + module(repr(str(REPO / "Snakefile")), config=repr(workflow.config))
    )
    workflow.snakefile, workflow.config = None, {}
    workflow.succeed("--cores", "2")
    assert (workflow.folder / "qc" / "same.png").is_file()
    assert "Nothing to be done" in workflow.succeed("--cores", "2")
