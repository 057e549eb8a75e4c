# SPDX-License-Identifier: MIT
"""The example: a host workflow that uses this one as a module, and the numbers it reports."""

import gzip
import hashlib
import importlib.util
import itertools

import nibabel as nib
import numpy as np
import pytest
from support import REPO, Workflow, copied_repository, served_registry, shipped_rows, write_table

FOLDER = "examples/lesion-network"
HEADER = ["lesion", "voxels", "volume_ml", "fraction_inside"]

# The shipped lesion, written down once more: each voxel is a cube of 2 mm.
TINY_MM = [
    (-30 + x, -20 + y, 24 + z)
    for x, y, z in itertools.product(range(-6, 7, 2), repeat=3)
    if x**2 + y**2 + z**2 <= 36
]
TINY_VOLUME = len(TINY_MM) * 8 / 1000


def load_script(name: str):
    """Return one of the example's scripts as a module."""
    path = REPO / FOLDER / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"example_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


measure_lesion = load_script("measure_lesion")
make_tiny_lesion = load_script("make_tiny_lesion")


@pytest.fixture
def example(tmp_path) -> Workflow:
    """Return the example, in a copy of the repository."""
    example = Workflow(copied_repository(tmp_path / "repository") / FOLDER)
    # The one in the folder, as a user has it.
    example.snakefile = None
    return example


@pytest.fixture
def real_masks(example, server, real, tmp_path):
    """Have the example use the real masks, served over loopback."""
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    example.config["brain_masks"] = {"registry": str(registry), "mirrors": False}
    return real


def table(example) -> list[list[str]]:
    """Return the cells of the table, without its header."""
    lines = (example.folder / "results" / "lesions.tsv").read_text().splitlines()
    cells = [line.split("\t") for line in lines]
    assert cells[0] == HEADER
    return cells[1:]


def image(voxels, affine, codes=(0, 2)) -> nib.Nifti1Image:
    """Return an image with the given qform and sform codes."""
    image = nib.Nifti1Image(voxels, affine)
    image.set_qform(affine, code=codes[0])
    image.set_sform(affine, code=codes[1])
    return image


def save(path, *args, **kwargs):
    """Write an image and return its path."""
    nib.save(image(*args, **kwargs), path)
    return path


def grid(step_x: float, origin) -> np.ndarray:
    """Return the affine of a grid; x runs to the left if its step is negative."""
    affine = np.diag([step_x, abs(step_x), abs(step_x), 1.0])
    affine[:3, 3] = origin
    return affine


@pytest.mark.usefixtures("real_masks")
def test_shipped_lesion_lies_inside_the_real_mask(example):
    example.succeed()
    assert table(example) == [["tiny", "123", "0.984", "1.0"]]
    # The 1 mm grid begins at -91, -126, -72.
    mask = np.asanyarray(nib.load(example.mask("MNI152NLin6Asym_1mm")).dataobj)
    assert all(mask[x + 91, y + 126, z + 72] == 1 for x, y, z in TINY_MM)
    assert "Nothing to be done" in example.succeed()


@pytest.mark.usefixtures("real_masks")
def test_example_with_a_mask_of_3_mm(example):
    """A rule of the host names a mask on another grid, and gets it."""
    name = "MNI152NLin6Asym_2mm_grid-FSL-3mm"
    example.config["mask"] = name
    example.succeed()
    mask = nib.load(example.mask(name))
    assert (mask.shape, mask.affine[:3, 3].tolist()) == ((61, 73, 61), [-90, -126, -72])
    # The voxel of 3 mm in which each centre lies.
    voxels = np.asanyarray(mask.dataobj)
    index = [
        tuple(round((mm - at) / 3) for mm, at in zip(xyz, (-90, -126, -72), strict=True))
        for xyz in TINY_MM
    ]
    inside = sum(int(voxels[each]) for each in index)
    assert table(example) == [["tiny", "123", "0.984", repr(inside / 123)]]
    assert "Nothing to be done" in example.succeed()


def test_shipped_lesion_on_a_synthetic_mask(example, server, tmp_path):
    # Of the left hemisphere, the part left of the ball's middle: it cuts the ball in two, and
    # holds none of it if the hemispheres are swapped.
    voxels = np.zeros((91, 109, 91), np.uint8)
    voxels[:30] = 1
    content = nib.Nifti1Image(voxels, grid(2, (-90, -126, -72))).to_bytes()
    data = gzip.compress(content, mtime=0)
    server.files["/half.nii.gz"] = data
    # The registered 2 mm grid, with other voxels on it.
    row = shipped_rows()[1] | {
        "space": "LeftPart",
        "url": f"{server.url}/half.nii.gz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "bytes": str(len(data)),
        "voxels": str(voxels.sum()),
    }
    registry = write_table(tmp_path / "masks.tsv", [row])
    example.config = {
        "mask": "LeftPart_2mm",
        "brain_masks": {"extra_registries": [str(registry)]},
    }
    example.succeed()
    inside = sum(x <= -32 for x, _, _ in TINY_MM)
    assert (len(TINY_MM), inside) == (123, 47)
    assert table(example) == [["tiny", "123", str(TINY_VOLUME), repr(47 / 123)]]
    assert "Nothing to be done" in example.succeed()


def test_real_lesions(example, real_masks):
    lesions = sorted((real_masks / "lesions").glob("sub-0*.nii.gz"))
    example.config["lesions"] = [str(path) for path in lesions]
    example.succeed()
    label = "ses-01_space-MNI152NLin6Asym_label-acuteinfarct_mask"
    assert table(example) == [
        [f"sub-01_{label}", "14147", "14.147", "1.0"],
        [f"sub-02_{label}", "11383", "11.383", "1.0"],
        [f"sub-03_{label}", "7618", "7.618", "1.0"],
    ]


def test_real_lesion_without_orientation_is_refused(example, real_masks):
    lesion = real_masks / "lesions" / "503_T2_lesions_MNI_bin.nii.gz"
    example.config |= {"lesions": [str(lesion)], "mask": "MNI152NLin6Asym_2mm"}
    printed = example.fail()
    message = f"ERROR: {lesion}: it has no orientation: qform and sform code are 0"
    assert printed.splitlines().count(message) == 1
    assert (example.folder / "logs/lesions/503_T2_lesions_MNI_bin.log").read_text() == (
        f"{message}\n"
    )
    assert not (example.folder / "results" / "lesions.tsv").exists()


def test_lesion_is_compared_in_world_space(tmp_path):
    # Left is x < 0: the mask holds x = -4 to -1, at index 0 to 3.
    mask = np.zeros((8, 3, 3), np.uint8)
    mask[:4] = 1
    mask_path = save(tmp_path / "mask.nii.gz", mask, grid(1, (-4, 0, 0)))
    # At index 3 to 6 of an axis that runs to the left: x = 0 to -3.
    lesion = np.zeros((8, 3, 3), np.int16)
    lesion[3:7, 1, 1] = 1
    lesion_path = save(tmp_path / "lesion.nii.gz", lesion, grid(-1, (3, 0, 0)))
    assert mask[lesion == 1].mean() == 0.25
    row = measure_lesion.measure("one", lesion_path, mask_path)
    assert row == {"lesion": "one", "voxels": 4, "volume_ml": 0.004, "fraction_inside": 0.75}


def test_what_lies_outside_the_grid_is_outside(tmp_path):
    mask_path = save(tmp_path / "mask.nii.gz", np.ones((4, 3, 3), np.uint8), grid(1, (0, 0, 0)))
    # x = 5 to -2: two beyond either end of the mask, which index -1 would lead back into.
    lesion_path = save(tmp_path / "lesion.nii.gz", np.ones((8, 1, 1)), grid(-1, (5, 0, 0)))
    assert measure_lesion.measure("one", lesion_path, mask_path)["fraction_inside"] == 0.5


def test_other_resolution_goes_to_the_nearest_voxel(tmp_path):
    # Voxels of 2 mm, x = 0, 2, 4, 6; every other one is inside.
    mask = np.zeros((4, 1, 1), np.uint8)
    mask[::2] = 1
    mask_path = save(tmp_path / "mask.nii.gz", mask, grid(2, (0, 0, 0)))
    # x = 6.5 to -0.5: two of them for each voxel of the mask, if none is cut down to the next.
    lesion_path = save(tmp_path / "lesion.nii.gz", np.ones((8, 1, 1)), grid(-1, (6.5, 0, 0)))
    row = measure_lesion.measure("one", lesion_path, mask_path)
    assert (row["volume_ml"], row["fraction_inside"]) == (0.008, 0.5)


def test_border_between_voxels_is_the_same_left_and_right(tmp_path):
    # Voxels of 2 mm, x = -4 to 4; the outermost are not inside.
    mask = np.ones((5, 1, 1), np.uint8)
    mask[[0, -1]] = 0
    mask_path = save(tmp_path / "mask.nii.gz", mask, grid(2, (-4, 0, 0)))
    inside = []
    for x in (-3, 3):
        lesion_path = save(tmp_path / f"{x}.nii.gz", np.ones((1, 1, 1)), grid(1, (x, 0, 0)))
        inside.append(measure_lesion.measure("one", lesion_path, mask_path)["fraction_inside"])
    assert inside[0] == inside[1]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, ">i2", np.float32, np.float64])
def test_lesion_of_any_type(tmp_path, dtype):
    voxels = np.array([0, 1, 1, 0], dtype).reshape(4, 1, 1)
    path = save(tmp_path / "lesion.nii.gz", voxels, grid(-2, (0, 0, 0)))
    read, affine = measure_lesion.read_lesion(path)
    assert read.ravel().tolist() == [False, True, True, False]
    assert measure_lesion.voxel_volume(affine) == pytest.approx(8)


def test_lesion_with_a_scale_factor(tmp_path):
    stored = np.array([0, 255], np.uint8).reshape(2, 1, 1)
    content = bytearray(image(stored, grid(1, (0, 0, 0))).to_bytes())
    # scl_slope and scl_inter, which nibabel sets aside when it writes an image.
    content[112:120] = np.array([1 / 255, 0], "<f4").tobytes()
    path = tmp_path / "lesion.nii.gz"
    path.write_bytes(gzip.compress(content))
    assert measure_lesion.read_lesion(path)[0].ravel().tolist() == [False, True]


ONE = np.ones((2, 2, 2), np.float32)
HERE = grid(-1, (0, 0, 0))
# The second and the third axis point the same way.
FLAT = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (image(ONE, HERE, codes=(0, 0)), "it has no orientation: qform and sform code are 0"),
        (image(ONE[..., None], HERE), "it has 4 dimensions (2, 2, 2, 1), expected 3"),
        (image(ONE[0], HERE), "it has 2 dimensions (2, 2), expected 3"),
        (image(ONE * [1, np.nan], HERE), "4 voxels are NaN or infinite"),
        (image(ONE * 0, HERE), "it is empty: no voxel is above 0.5"),
        (image(ONE.astype(np.complex64), HERE), "its voxels are of type complex64, not numbers"),
        (image(ONE, FLAT), "its affine gives voxels no volume: "),
    ],
    ids=["no orientation", "4D", "2D", "NaN", "empty", "complex", "flat"],
)
def test_refused(tmp_path, refused, reason):
    path = tmp_path / "lesion.nii.gz"
    nib.save(refused, path)
    with pytest.raises(measure_lesion.LesionError) as caught:
        measure_lesion.read_lesion(path)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["empty file", "cut off", "not gzip", "a byte", "other file"])
def test_damaged_file_is_refused(tmp_path, damage):
    path = save(tmp_path / "lesion.nii.gz", np.random.default_rng(0).random((9, 9, 9)), HERE)
    good = path.read_bytes()
    path.write_bytes(
        {
            "empty file": b"",
            "cut off": good[: len(good) // 2],
            "not gzip": b"<html>not found</html>" * 50,
            "a byte": good[:3000] + bytes([good[3000] ^ 1]) + good[3001:],
            "other file": gzip.compress(b"lesion\tvoxels\n" * 50),
        }[damage]
    )
    with pytest.raises(measure_lesion.LesionError, match="not readable as gzipped NIfTI") as caught:
        measure_lesion.read_lesion(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"lesions": "scripts"}, "no lesion masks (*.nii.gz) in 'scripts'"),
        ({"lesions": ["a/one.nii.gz", "b/one.nii.gz"]}, "two lesion masks have the same file name"),
        ({"lesions": ["lesions/tinny.nii.gz"]}, "no such lesion mask: lesions/tinny.nii.gz"),
        ({"mask": "MNI152NLin6Asym_3mm"}, "MNI152NLin6Asym_3mm"),
    ],
    ids=["empty folder", "two alike", "no such lesion", "no such mask"],
)
def test_wrong_configuration_is_refused_where_a_table_stands(example, config, reason):
    results = example.folder / "results"
    results.mkdir()
    (results / "lesions.tsv").write_text("\t".join(HEADER) + "\n")
    example.config = config
    assert reason in example.fail("--dry-run")


def test_shipped_lesion_is_what_its_script_makes():
    path = REPO / FOLDER / "lesions" / "tiny.nii.gz"
    assert path.stat().st_size < 10_000
    shipped, made = nib.load(path), make_tiny_lesion.tiny_lesion()
    assert np.array_equal(shipped.affine, made.affine)
    assert (shipped.header["qform_code"], shipped.header["sform_code"]) == (4, 4)
    assert shipped.get_data_dtype() == made.get_data_dtype() == np.int16
    assert np.array_equal(np.asanyarray(shipped.dataobj), np.asanyarray(made.dataobj))
    assert nib.aff2axcodes(shipped.affine) == ("L", "A", "S")
    mm = nib.affines.apply_affine(shipped.affine, np.argwhere(np.asanyarray(shipped.dataobj)))
    assert sorted(map(tuple, mm.tolist())) == sorted(TINY_MM)
