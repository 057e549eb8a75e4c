# SPDX-License-Identifier: MIT
"""The checks of a file: which defects they find, in which words, and within which memory."""

import gzip
import hashlib
import tracemalloc
import zlib
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from support import shipped_rows, tiny_mask

import brainmasks
from brainmasks import InvalidMaskError
from brainmasks.nifti import TOLERANCE, in_words, limited_to_registered
from brainmasks.nifti.checks import NOT_RUN, PASSED, examine, require_valid
from brainmasks.registry import BrainMaskMetadata

DATA, ROW = tiny_mask()
CONTENT = gzip.decompress(DATA)
MASK = BrainMaskMetadata.from_row(ROW)
COUNT = MASK.voxels
VOXELS = np.asanyarray(nib.Nifti1Image.from_bytes(CONTENT).dataobj)
OUTSIDE = tuple(np.argwhere(VOXELS == 0)[0])
INSIDE = tuple(np.argwhere(VOXELS == 1)[0])
UNIT = np.zeros_like(VOXELS)
UNIT[INSIDE] = 1

VOXEL_CHECKS = ["finite", "binary_as_stored", "binary_as_scaled", "not_empty", "voxel_count"]
HEADER_CHECKS = ["three_dimensional", "shape", "affine", "one_orientation", "stored_type"]
IMAGE_CHECKS = [*HEADER_CHECKS, *VOXEL_CHECKS]
ALL_CHECKS = ["gzip_stream", "nifti", *IMAGE_CHECKS, "content_sha256"]


def image(voxels=VOXELS, affine=None, kind=nib.Nifti1Image, header=None) -> bytes:
    """Return an image, not compressed."""
    return kind(voxels, MASK.affine if affine is None else affine, header).to_bytes()


def with_voxel(value, dtype=np.uint8, at=OUTSIDE) -> np.ndarray:
    """Return the mask's voxels with another value at one place."""
    voxels = VOXELS.astype(dtype)
    voxels[at] = value
    return voxels


def patched(content: bytes = CONTENT, layout=nib.nifti1.header_dtype, **fields) -> bytes:
    """Return an image with other values in its header, written without a second thought."""
    header = np.frombuffer(content[: layout.itemsize], layout).copy()
    for name, value in fields.items():
        header[name] = value
    return header.tobytes() + content[layout.itemsize :]


def signalling() -> np.ndarray:
    """Return the mask's voxels with a NaN outside of which processors complain."""
    voxels = VOXELS.astype(np.float32)
    voxels.view(np.uint32)[OUTSIDE] = 0x7F800001
    return voxels


def shifted(mm: float) -> np.ndarray:
    """Return the mask's affine, shifted along x."""
    affine = MASK.affine.copy()
    affine[0, 3] += mm
    return affine


def left_handed() -> bytes:
    """Return a faithful copy that is stored LAS."""
    return nib.Nifti1Image(VOXELS, MASK.affine).as_reoriented([[0, -1], [1, 1], [2, 1]]).to_bytes()


def packed(content: bytes) -> bytes:
    """Return a gzip file."""
    return gzip.compress(content, compresslevel=1, mtime=0)


def bomb(start: bytes = b"") -> bytes:
    """Return a small gzip file of some bytes, followed by 300 MiB of zeros."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a piece depends on nothing before it, and may be repeated.
    return first + (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * 300


def problems(outcome: dict) -> dict:
    """Return the checks that found something."""
    return {check: text for check, text in outcome.items() if text not in (PASSED, NOT_RUN)}


def lacking(text: str, words) -> list:
    """Return the words that a text does not contain."""
    return [word for word in words if word not in text]


@pytest.fixture
def memory():
    """Return a function that says how many bytes were in use at once since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_registered_file_passes_every_check():
    assert examine(DATA, MASK) == dict.fromkeys(ALL_CHECKS, PASSED)
    assert require_valid(DATA, MASK, "a.nii.gz") == dict.fromkeys(ALL_CHECKS, PASSED)


@pytest.mark.parametrize("row", shipped_rows(), ids=lambda row: row["space"] + row["resolution"])
def test_real_registered_file_passes_every_check(real, row):
    mask = brainmasks.BRAIN_MASK_REGISTRY.get(f"{row['space']}_{row['resolution']}mm")
    data = (real / "registered" / f"{mask.name}_desc-brain_mask.nii.gz").read_bytes()
    assert require_valid(data, mask, "a.nii.gz") == dict.fromkeys(ALL_CHECKS, PASSED)


def test_same_content_compressed_otherwise_passes():
    assert examine(gzip.compress(CONTENT, compresslevel=9), MASK) == examine(DATA, MASK)


CUT = {f"cut off after {n} bytes": DATA[:n] for n in (2, 9, 10, 30, len(DATA) // 2)}
CUT |= {f"cut off {n} bytes before the end": DATA[:-n] for n in (9, 8, 4, 1)}
BODY = len(DATA) // 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        *(
            pytest.param(data, [f"cut off after {len(data)} bytes"], id=name)
            for name, data in CUT.items()
        ),
        pytest.param(b"", ["the file is empty"], id="empty file"),
        pytest.param(DATA[:1], ["not gzip", "1f"], id="one byte"),
        pytest.param(CONTENT, ["not gzip", "5c 01 00 00"], id="not compressed"),
        pytest.param(b"<!DOCTYPE html>", ["not gzip", "3c 21 44 4f"], id="HTML"),
        pytest.param(b"version https://git-lfs", ["not gzip", "76 65 72 73"], id="LFS pointer"),
        pytest.param(
            DATA[:BODY] + bytes([DATA[BODY] ^ 16]) + DATA[BODY + 1 :], ["damaged"], id="flipped bit"
        ),
        pytest.param(DATA[:-8] + bytes(4) + DATA[-4:], ["damaged"], id="wrong CRC"),
        pytest.param(DATA[:-4] + bytes(4), ["damaged"], id="wrong length"),
        pytest.param(DATA + b"x", ["1 bytes follow the end"], id="trailing byte"),
        pytest.param(DATA + bytes(512), ["512 bytes follow the end"], id="trailing zeros"),
        pytest.param(DATA + bytes(1 << 17), ["131072 bytes follow"], id="many trailing zeros"),
        pytest.param(DATA + DATA, [f"{len(DATA)} bytes follow"], id="second member"),
        pytest.param(DATA + packed(b""), ["20 bytes follow"], id="empty second member"),
        pytest.param(bomb(), ["inflates to more than"], id="bomb of zeros"),
        pytest.param(bomb(CONTENT), ["inflates to more than"], id="bomb that begins well"),
    ],
)
def test_defective_stream_is_found_within_little_memory(memory, data, words):
    text = examine(data, MASK)["gzip_stream"]
    assert lacking(text, words) == []
    assert memory() < 16 << 20


def test_no_flipped_bit_gets_by_unless_the_content_is_unharmed():
    for place in range(len(DATA)):
        for bit in range(8):
            data = bytearray(DATA)
            data[place] ^= 1 << bit
            if not problems(examine(bytes(data), MASK)):
                assert gzip.decompress(data) == CONTENT


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty file"),
        pytest.param(CONTENT, id="not compressed"),
        pytest.param(DATA[:-8] + bytes(4) + DATA[-4:], id="wrong CRC"),
    ],
)
def test_content_that_could_not_be_unpacked_is_not_said_to_be_no_nifti(data):
    assert examine(data, MASK)["nifti"] in (PASSED, NOT_RUN)


# Content, the checks that must find something, words of each: no more and no fewer checks.
IMAGES = {
    "4D": (
        image(np.stack([VOXELS] * 2, axis=-1)),
        {
            "three_dimensional": ["4 dimensions", "expected 3"],
            "shape": ["(6, 7, 5, 2)", "registered (6, 7, 5)"],
            "voxel_count": [f"{2 * COUNT} voxels are 1", f"registered {COUNT}"],
        },
    ),
    "4D with one volume": (
        image(VOXELS[..., None]),
        {"three_dimensional": ["4 dimensions"], "shape": ["(6, 7, 5, 1)"]},
    ),
    "2D": (
        image(VOXELS[..., 0]),
        {"three_dimensional": ["2 dimensions"], "shape": ["(6, 7)"], "voxel_count": [str(COUNT)]},
    ),
    "axes swapped": (image(VOXELS.transpose(1, 0, 2)), {"shape": ["(7, 6, 5)", "(6, 7, 5)"]}),
    "shifted by 0.5 mm": (image(affine=shifted(0.5)), {"affine": ["-5.5", "-6.0", "0.001 mm"]}),
    "shifted by 0.002 mm": (image(affine=shifted(0.002)), {"affine": ["-5.998", "-6.0"]}),
    "shifted by -0.002 mm": (image(affine=shifted(-0.002)), {"affine": ["-6.00", "registered"]}),
    "shifted by 0.0005 mm": (image(affine=shifted(0.0005)), {}),
    "affine of NaN": (
        patched(srow_x=np.nan),
        {"affine": ["nan", "-6.0"], "one_orientation": ["of nanx"]},
    ),
    "qform 3 mm from the sform": (
        patched(qform_code=1, qoffset_x=-3, qoffset_y=-8, qoffset_z=-4),
        {"one_orientation": ["contradicts itself: qform and sform differ by up to 3 mm"]},
    ),
    "qform that is the sform": (
        patched(qform_code=1, qoffset_x=-6, qoffset_y=-8, qoffset_z=-4),
        {},
    ),
    "qform that is no rotation": (
        patched(qform_code=1, quatern_b=2.0),
        {"one_orientation": ["its qform is no rotation"]},
    ),
    "voxels of 0 mm by the pixdim": (
        patched(pixdim=[1, 0, 2, 2, 0, 0, 0, 0]),
        {"one_orientation": ["its header states voxels of 0x2x2 mm (pixdim)"]},
    ),
    "voxels of 1 mm by the pixdim": (
        patched(pixdim=1),
        {"one_orientation": ["voxels of 1x1x1 mm by its pixdim, of 2x2x2 mm by its sform"]},
    ),
    "other voxel size": (
        image(affine=np.diag([3, 3, 3, 1]) @ shifted(0)),
        {"affine": ["registered [[2.0"]},
    ),
    "LAS": (left_handed(), {"affine": ["[-2.0, 0.0, 0.0, 4.0]", "[2.0, 0.0, 0.0, -6.0]"]}),
    "scanner coordinates": (patched(qform_code=0, sform_code=1), {}),
    "no orientation": (
        patched(qform_code=0, sform_code=0),
        {"affine": ["no orientation", "qform and sform code are 0"]},
    ),
    "NaN": (
        image(with_voxel(np.nan, np.float32)),
        {
            "finite": ["1 voxels are NaN"],
            "binary_as_stored": ["1 stored", "nan"],
            "stored_type": ["stored as float32, expected uint8"],
        },
    ),
    "NaN that signals": (
        image(signalling()),
        {"finite": ["1 voxels"], "binary_as_stored": ["1 stored", "nan"], "stored_type": ["32"]},
    ),
    "infinity": (
        image(with_voxel(-np.inf, np.float64)),
        {
            "finite": ["1 voxels are NaN or infinite"],
            "binary_as_stored": ["1 stored", "-inf"],
            "stored_type": ["float64"],
        },
    ),
    "value 2": (
        image(with_voxel(2)),
        {"binary_as_stored": ["1 stored values are neither 0 nor 1, for example 2"]},
    ),
    "value -1": (
        image(with_voxel(-1, np.int16)),
        {"binary_as_stored": ["1 stored", "-1"], "stored_type": ["int16"]},
    ),
    "value 0.5": (
        image(with_voxel(0.5, np.float32)),
        {"binary_as_stored": ["1 stored", "0.5"], "stored_type": ["float32"]},
    ),
    "almost 1": (
        image(with_voxel(0.9999, np.float32, INSIDE)),
        {
            "binary_as_stored": ["1 stored", "0.9998"],
            "voxel_count": [f"{COUNT - 1} voxels"],
            "stored_type": ["float32"],
        },
    ),
    "0 and 255": (
        image(VOXELS * np.uint8(255)),
        {"binary_as_stored": [f"{COUNT} stored", "255"], "voxel_count": ["0 voxels are 1"]},
    ),
    "0 and 255, slope 1/255": (
        patched(image(VOXELS * np.uint8(255)), scl_slope=1 / 255, scl_inter=0),
        {
            "binary_as_stored": [f"{COUNT} stored values", "for example 255"],
            "binary_as_scaled": [f"{COUNT} scaled values", "for example 1.0000000"],
            "voxel_count": ["0 voxels are 1"],
        },
    ),
    "0 and 1, slope 2": (
        patched(scl_slope=2, scl_inter=0),
        {
            "binary_as_scaled": [f"{COUNT} scaled values", "for example 2"],
            "voxel_count": ["0 voxels are 1", f"registered {COUNT}"],
        },
    ),
    "0 and 1, slope -1, intercept 1": (
        patched(scl_slope=-1, scl_inter=1),
        {"voxel_count": [f"{VOXELS.size - COUNT} voxels are 1"]},
    ),
    "empty": (
        image(np.zeros_like(VOXELS)),
        {"not_empty": ["it is empty"], "voxel_count": [f"0 voxels are 1, registered {COUNT}"]},
    ),
    "one voxel more": (
        image(with_voxel(1)),
        {"voxel_count": [f"{COUNT + 1} voxels are 1, registered {COUNT}"]},
    ),
    "one voxel fewer": (
        image(with_voxel(0, at=INSIDE)),
        {"voxel_count": [f"{COUNT - 1} voxels are 1, registered {COUNT}"]},
    ),
    "one voxel moved": (image(with_voxel(1) - UNIT), {}),
    "bytes after the voxels": (CONTENT + b"x", {}),
    "NIfTI-2": (image(kind=nib.Nifti2Image), {}),
    "big-endian": (
        image(header=nib.Nifti1Header(endianness=">")),
        {"stored_type": ["stored as float32, expected uint8"]},
    ),
    "float64": (image(VOXELS.astype(np.float64)), {"stored_type": ["stored as float64"]}),
    "int8": (image(VOXELS.astype(np.int8)), {"stored_type": ["stored as int8"]}),
    "everything at once": (
        patched(
            image(with_voxel([2, np.nan], np.float32, (0, [0, 1], 0))[:, :, :4], shifted(0.5)),
            scl_slope=3,
        ),
        {
            "shape": ["(6, 7, 4)"],
            "affine": ["-5.5"],
            "stored_type": ["float32"],
            "finite": ["1 voxels"],
            "binary_as_stored": ["2 stored"],
            "binary_as_scaled": ["scaled values"],
            "voxel_count": ["0 voxels are 1"],
        },
    ),
}


@pytest.mark.parametrize("name", IMAGES)
def test_defective_image_has_all_of_its_problems_reported(name):
    content, expected = IMAGES[name]
    data = packed(content)
    outcome = examine(data, MASK)
    found = problems(outcome)
    assert list(outcome) == ALL_CHECKS
    assert NOT_RUN not in outcome.values()
    expected = expected | {
        "content_sha256": [hashlib.sha256(content).hexdigest(), f"registered {MASK.content_sha256}"]
    }
    assert set(found) == set(expected)
    for check, words in expected.items():
        assert lacking(found[check], words) == []
    with pytest.raises(InvalidMaskError) as failure:
        require_valid(data, MASK, "a/b.nii.gz")
    assert (
        lacking(str(failure.value), [MASK.name, "a/b.nii.gz", "Correct its row", *found.values()])
        == []
    )


RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
NOT_IMAGES = {
    "no bytes": (b"", ["not NIfTI", "only 0 bytes"]),
    "three bytes": (b"abc", ["not NIfTI", "only 3 bytes"]),
    "four bytes": (b"abcd", ["not NIfTI", "begins with 61 62 63 64"]),
    "text": (b"hello " * 100, ["not NIfTI", "68 65 6c 6c"]),
    "gzipped twice": (DATA, ["not NIfTI", "1f 8b"]),
    "header cut off": (CONTENT[:300], ["not readable as NIfTI"]),
    "Analyze": (patched(magic=b""), ["not readable as NIfTI"]),
    "one byte short": (
        CONTENT[:-1],
        [f"calls for {len(CONTENT)} bytes", f"has {len(CONTENT) - 1}", "6x7x5"],
    ),
    "voxels beyond the end": (patched(vox_offset=1e6), ["calls for 1000210 bytes"]),
    **{
        f"voxels at byte {offset:g}": (
            patched(vox_offset=offset),
            [f"puts the voxels at byte {offset:g} (vox_offset)", "a whole number, 352 or more"],
        )
        for offset in (0, 100, 348, 351, -16, 352.5, np.nan, np.inf, -np.inf)
    },
    "voxels before the beginning of a pair": (
        patched(magic=b"ni1", vox_offset=-100),
        ["puts the voxels at byte -100"],
    ),
    "header of a pair": (patched(magic=b"ni1", vox_offset=0), ["puts the voxels at byte 0"]),
    "big-endian, voxels at byte 0": (
        patched(
            image(header=nib.Nifti1Header(endianness=">")),
            nib.nifti1.header_dtype.newbyteorder(">"),
            vox_offset=0,
        ),
        ["puts the voxels at byte 0"],
    ),
    **{
        f"NIfTI-2, voxels at byte {offset}": (
            patched(image(kind=nib.Nifti2Image), nib.nifti2.header_dtype, vox_offset=offset),
            [f"puts the voxels at byte {offset} (vox_offset)", "a whole number, 544 or more"],
        )
        for offset in (0, 352, 543, -1)
    },
    "RGB": (image(np.zeros(VOXELS.shape, RGB)), ["not numbers"]),
    "complex": (image(VOXELS.astype(np.complex64)), ["complex64, not numbers"]),
    "unknown type": (patched(datatype=9999), ["not readable as NIfTI", "9999"]),
    "no voxels": (patched(dim=[3, 0, 7, 5, 1, 1, 1, 1]), ["states the shape 0x7x5"]),
    "fewer than no voxels": (patched(dim=[3, -6, 7, 5, 1, 1, 1, 1]), ["states the shape -6x7x5"]),
    "3 * 2^30 voxels": (
        patched(dim=[3, 32767, 32767, 3, 1, 1, 1, 1]),
        ["calls for 3221029219 bytes", "32767x32767x3 voxels", f"has {len(CONTENT)}"],
    ),
    "2^105 voxels": (
        patched(dim=[7, *[32767] * 7], datatype=64, bitpix=64),
        ["calls for", "x".join(["32767"] * 7)],
    ),
    "NIfTI-2 of 2^124 voxels": (
        patched(
            image(kind=nib.Nifti2Image),
            nib.nifti2.header_dtype,
            dim=[3, 1 << 62, 1 << 62, 1, 1, 1, 1, 1],
        ),
        ["calls for", f"{1 << 62}x{1 << 62}x1"],
    ),
}


@pytest.mark.parametrize("name", NOT_IMAGES)
def test_content_that_is_no_image_is_found_within_little_memory(memory, name):
    content, words = NOT_IMAGES[name]
    outcome = examine(packed(content), MASK)
    assert set(problems(outcome)) == {"nifti", "content_sha256"}
    assert lacking(outcome["nifti"], words) == []
    assert [check for check, text in outcome.items() if text == NOT_RUN] == IMAGE_CHECKS
    assert memory() < 16 << 20


@pytest.mark.parametrize("shape", [(12, 14, 10), (6, 7, 15)], ids=["8 times", "3 times"])
def test_voxels_of_a_far_larger_image_are_not_looked_at(shape):
    outcome = examine(packed(image(np.ones(shape, np.uint8))), MASK)
    assert [check for check, text in outcome.items() if text == NOT_RUN] == VOXEL_CHECKS
    assert set(problems(outcome)) == {"shape", "content_sha256"}


def test_defects_of_stream_and_image_are_reported_together():
    outcome = examine(packed(image(with_voxel(2))) + b"xx", MASK)
    assert set(problems(outcome)) == {"gzip_stream", "binary_as_stored", "content_sha256"}


def test_faithful_file_with_something_after_it_is_refused_for_that_alone():
    with pytest.raises(
        InvalidMaskError, match=r"registered mask: 2 bytes follow .* stream\. Correct"
    ):
        require_valid(DATA + b"xx", MASK, "a.nii.gz")


def test_no_byte_of_a_header_leads_to_a_foreign_exception():
    for place in range(352):
        for value in (0x7F, 0x80, 0xFF):
            content = bytearray(CONTENT)
            content[place] = value
            outcome = examine(packed(content), MASK)
            assert (content == CONTENT) == (not problems(outcome))


def test_affine_tolerance_is_absolute():
    far = BrainMaskMetadata.from_row(ROW | {"origin": "-9000,0,0"})
    affine = far.affine
    affine[0, 3] += 0.01
    assert "tolerance" in examine(packed(image(affine=affine)), far)["affine"]


def test_affine_may_differ_by_the_tolerance_itself():
    mask = BrainMaskMetadata.from_row(ROW | {"origin": "0,0,0"})
    affine = mask.affine
    affine[0, 3] = TOLERANCE
    # Of the two, only NIfTI-2 holds the number as it is.
    assert examine(packed(image(affine=affine, kind=nib.Nifti2Image)), mask)["affine"] == PASSED


def test_what_is_compared_to_nothing_that_is_registered_is_not_said_to_have_passed():
    data, row = tiny_mask("A")
    mask = BrainMaskMetadata.from_row(row | {"url": "x"})
    outcome = examine(data, mask)
    assert limited_to_registered(outcome, mask) == outcome
    for unknown, check, said in (
        ({"origin": None}, "affine", "passed, but for the origin, which is not registered"),
        ({"voxels": None}, "voxel_count", "not run: not registered"),
        ({"content_sha256": ""}, "content_sha256", "not run: not registered"),
    ):
        assert limited_to_registered(outcome, replace(mask, **unknown)) == outcome | {check: said}


def test_log_says_how_many_checks_passed_and_which_did_not_look():
    assert in_words({"a": PASSED, "b": "passed, but for c"}) == "2 checks passed"
    outcome = {"a": PASSED, "b": NOT_RUN, "c": "not run: not registered"}
    assert in_words(outcome) == "1 checks passed, not run: b, c"
