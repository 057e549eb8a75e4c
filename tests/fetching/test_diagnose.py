# SPDX-License-Identifier: MIT
"""What arrived instead of the mask is looked at and named, in one line."""

import gzip
import tracemalloc
import zlib

import nibabel as nib
import numpy as np
import pytest
from support import tiny_mask

from brainmasks.fetching.diagnose import diagnose
from brainmasks.registry import BrainMaskMetadata

DATA, ROW = tiny_mask("A")
MASK = BrainMaskMetadata.from_row(ROW | {"url": "https://example.org/a"})
OTHER, OTHER_ROW = tiny_mask("B", seed=1)
REGISTERED = {
    ROW["sha256"]: "A_2mm",
    ROW["content_sha256"]: "A_2mm",
    OTHER_ROW["sha256"]: "B_2mm",
    OTHER_ROW["content_sha256"]: "B_2mm",
}
CONTENT = gzip.decompress(DATA)


def lookalike(shape=(6, 7, 5)) -> bytes:
    voxels = np.zeros(shape, np.uint8)
    voxels[2:4, 2:4, 2:4] = 1
    return gzip.compress(nib.Nifti1Image(voxels, MASK.affine).to_bytes(), mtime=0)


def finer() -> bytes:
    """Return a whole image of far more voxels than the mask has, 77 of them 1."""
    voxels = np.zeros((60, 70, 50), np.float64)
    voxels.flat[:77] = 1
    return gzip.compress(nib.Nifti1Image(voxels, np.diag([0.2, 0.2, 0.2, 1])).to_bytes(), mtime=0)


FINER = finer()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["an empty file"]),
        (
            b"<!DOCTYPE html><title>Sign in &amp; go</title>",
            ["HTML page", '"Sign in & go"', "46 b"],
        ),
        (b"\n <HTML><head><TITLE lang=en>\n 503\tBusy </TITLE>", ["HTML page", '"503 Busy"']),
        (b"<html><body>no title</body></html>", ["an HTML page (34 bytes)"]),
        (b"\xef\xbb\xbf<?xml version='1.0'?><html><title>X</title></html>", ["an HTML page"]),
        (
            b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>',
            ['an XML message "NoSuchKey gone"'],
        ),
        (b'{"errors": [{"detail": "Request was throttled."}]}', ['"Request was throttled."']),
        (b'{"message_short": "Not found", "code": 404}', ["a JSON message", "Not found"]),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 28476\n",
            ["git-LFS pointer", "git lfs pull"],
        ),
        (
            b"/annex/objects/MD5E-s28557--0bb024a75b8529860417c57ea806a0e2.nii.gz\n",
            ["git-annex pointer", "MD5E-s28557--0bb024a75b8529860417c57ea806a0e2.nii.gz"],
        ),
        (
            b"../.git/annex/objects/x1/Zz/SHA256E-s1--ab.nii.gz/SHA256E-s1--ab.nii.gz",
            ["git-annex pointer to SHA256E-s1--ab.nii.gz,"],
        ),
        (CONTENT, ["a NIfTI file, not gzipped"]),
        (DATA[:50], ["a damaged gzip file, 50 of", f"{len(DATA)} bytes", "cut off"]),
        (DATA + b"x", ["1 bytes follow the end"]),
        (OTHER, ["another registered mask, B_2mm"]),
        (
            gzip.compress(gzip.decompress(OTHER), 9, mtime=0),
            ["another registered mask, B_2mm, compressed"],
        ),
        (gzip.compress(CONTENT, 9, mtime=0), ["the mask itself, compressed differently"]),
        (lookalike(), [f"8 voxels are 1, registered {MASK.voxels}"]),
        (lookalike((6, 7, 6)), ["its shape is (6, 7, 6), registered (6, 7, 5)"]),
        (
            FINER,
            [
                "a gzip file with another image, which is whole: 60x70x50 voxels of 0.2x0.2x0.2 mm",
                f"registered 6x7x5 of 2 mm; 77 voxels are 1, registered {MASK.voxels}",
            ],
        ),
        (
            gzip.compress(b"<!DOCTYPE html><title>Sign in</title>", mtime=0),
            ['a gzip file with an HTML page titled "Sign in"'],
        ),
        (
            gzip.compress(DATA, mtime=0),
            ["a gzip file with another gzip file in it: unpack it once"],
        ),
        (b"sha256  A.nii.gz\n", ['a text file that begins "sha256 A.nii.gz" (17 bytes)']),
        (b"\x28\xb5\x2f\xfd" + bytes(9), ["compressed with zstd: unpack it first, with `zstd -d`"]),
        (FINER[:-30], ["a gzip file that is not the mask: it inflates to more than", "ended"]),
        (FINER[:-8] + bytes(8), ["its header states 60x70x50 voxels of 0.2x0.2x0.2 mm", "CRC"]),
        (
            gzip.compress(CONTENT + bytes(3 << 20)),
            ["it inflates to more than", "6x7x5 voxels of 2x2x2 mm, and it is longer than its"],
        ),
        (gzip.compress(bytes(3 << 20)), ["it inflates to more than", "and it is not NIfTI"]),
        (b"\x00\x01 some\x1b[31mthing", ["something else: ", "beginning with 00 01 20 73"]),
    ],
    ids=[
        "empty",
        "HTML with a title",
        "HTML with a title in capitals",
        "HTML without a title",
        "XHTML after a byte order mark",
        "XML error",
        "JSON error in a list",
        "JSON without a message",
        "git-LFS pointer",
        "git-annex pointer",
        "git-annex pointer by a relative path",
        "NIfTI not gzipped",
        "cut off",
        "a byte too many",
        "another mask",
        "another mask compressed differently",
        "the mask compressed differently",
        "look-alike",
        "another shape",
        "a finer grid",
        "HTML, gzipped",
        "gzipped twice",
        "text",
        "zstd",
        "a finer grid, cut off",
        "a finer grid, with a wrong checksum",
        "more than the header says",
        "zeros",
        "something else",
    ],
)
def test_diagnosis(data, words):
    text = diagnose(data, MASK, REGISTERED)
    assert [word for word in words if word not in text] == []
    assert text.isprintable()


def test_end_that_was_not_collected_is_not_guessed_at():
    text = diagnose(b"\x1f\x8b" + bytes(200), MASK, REGISTERED, largest=100)
    assert text == "a gzip file of more than 100 bytes"


@pytest.mark.parametrize(
    ("data", "kind"),
    [(FINER, "a gzip file"), (gzip.decompress(FINER), "a NIfTI file, not gzipped,")],
)
def test_end_that_was_not_collected_hides_no_grid(data, kind):
    text = diagnose(data[:800], MASK, REGISTERED, largest=799)
    assert text == f"{kind} of more than 799 bytes, with 60x70x50 voxels of 0.2x0.2x0.2 mm"


def test_memory_for_an_image_of_any_size_is_bounded():
    """Of an image of 200 MiB the voxels are counted, and few of them are there at once."""
    packer = zlib.compressobj(1, wbits=31)
    header = nib.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape((800, 512, 512))
    header.set_data_offset(352)
    ones = b"\1" * (1 << 20)
    start = header.binaryblock + bytes(4)
    parts = [packer.compress(start), *(packer.compress(ones) for _ in range(200)), packer.flush()]
    data = b"".join(parts)
    tracemalloc.start()
    text = diagnose(data, MASK, REGISTERED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"800x512x512 voxels of 1x1x1 mm, registered 6x7x5 of 2 mm; {200 << 20} voxels" in text
    assert peak < 16 << 20


def test_long_messages_are_cut():
    text = diagnose(b"<html><title>" + b"long " * 1000 + b"</title>", MASK, REGISTERED)
    assert len(text) < 200
