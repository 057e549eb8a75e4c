# SPDX-License-Identifier: MIT
"""Many images in several processes, against published masks."""

import operator
import os
import signal
import time

import numpy as np
import pytest
from image_cases import DATA, INSIDE, MASK, REGISTRY, VOXELS, with_value
from support import save_image, tiny_mask

from brainmasks import InvalidMaskError, MaskError
from brainmasks.images import PublishedMask, in_processes, look_again
from brainmasks.images.batch import examine_image
from brainmasks.registry import BrainMaskMetadata

WORKERS = pytest.mark.parametrize("workers", [1, 2, 9])


def where(item: int, *_: object) -> tuple[int, int]:
    return item, os.getpid()


@WORKERS
def test_results_are_in_the_order_of_the_items(workers):
    items = list(range(20, 0, -1))
    assert in_processes(str, items, workers) == [str(item) for item in items]


def first_last(item: int) -> int:
    time.sleep(0.3 if item == 0 else 0)
    return item


@WORKERS
def test_result_that_takes_longest_keeps_its_place(workers):
    assert in_processes(first_last, range(7), workers) == list(range(7))


def count(item: str, seen: list) -> tuple[int, int]:
    seen.append(item)
    return os.getpid(), len(seen)


def test_each_process_has_what_is_shared_once():
    seen, counts = [], {}
    for process, number in in_processes(count, "abcdefgh", 2, seen):
        counts.setdefault(process, []).append(number)
    # One list in each process, which all of its calls have seen; none of them is this one.
    assert all(each == list(range(1, len(each) + 1)) for each in counts.values())
    assert seen == []


@WORKERS
def test_what_is_shared_reaches_every_call(workers):
    assert in_processes(operator.add, [[1], [2], [3]], workers, [9]) == [[1, 9], [2, 9], [3, 9]]


@WORKERS
def test_nothing_to_do_is_done(workers):
    assert in_processes(where, [], workers) == []


@pytest.mark.parametrize(("items", "workers"), [([1, 2, 3], 1), ([1], 8)])
def test_one_worker_or_one_item_needs_no_process(items, workers):
    assert in_processes(where, items, workers, "x") == [(item, os.getpid()) for item in items]


def test_several_workers_are_other_processes():
    pids = {pid for _, pid in in_processes(where, list(range(12)), 2)}
    assert os.getpid() not in pids
    assert len(pids) <= 2


def refuse(item: int) -> int:
    if item == 2:
        raise InvalidMaskError("item 2 is wrong")
    return item


@WORKERS
def test_failure_of_one_call_is_the_callers(workers):
    with pytest.raises(InvalidMaskError, match=r"^item 2 is wrong$"):
        in_processes(refuse, [1, 2, 3], workers)


def test_killed_process_is_told_with_what_to_do():
    with pytest.raises(MaskError, match=r"one of 2 processes .* was killed.*mem_mb"):
        in_processes(os._exit, [1, 1], workers=2)


def kill_own(item: int) -> int:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_killed_process_among_others_that_finish_is_told():
    with pytest.raises(MaskError, match=r"one of 3 processes that share 6 images was killed"):
        in_processes(kill_own, range(6), workers=3)


def examined(path, mask):
    return examine_image("x", {"image": path, "mask": "A_2mm"}, mask, REGISTRY, 0.5)


@WORKERS
def test_images_are_compared_to_the_published_mask(workers, tmp_path):
    (tmp_path / "A_2mm.nii.gz").write_bytes(DATA)
    mask = PublishedMask(tmp_path / "A_2mm.nii.gz", MASK)
    paths = [
        save_image(tmp_path / "same.nii.gz", VOXELS),
        save_image(tmp_path / "more.nii.gz", with_value(1, np.uint8)),
        str(tmp_path / "missing.nii.gz"),
    ]
    same, more, missing = in_processes(examined, paths, workers, mask)
    assert (same.comparison.verdict, same.comparison.equals_mask) == ("identical", True)
    assert (more.comparison.voxels_outside, more.comparison.equals_mask) == (1, False)
    assert missing.comparison.verdict == "not_an_image"
    assert np.array_equal(same.counted.above, INSIDE)


def test_image_that_changed_since_it_was_checked_is_not_shown(tmp_path):
    (tmp_path / "A_2mm.nii.gz").write_bytes(DATA)
    mask = PublishedMask(tmp_path / "A_2mm.nii.gz", MASK)
    path = save_image(tmp_path / "x.nii.gz", VOXELS)
    found = examined(path, mask).comparison
    again = look_again(path, found, mask)
    assert again.comparison == found
    assert np.array_equal(again.counted.above, INSIDE)
    # As many voxels, elsewhere.
    save_image(path, VOXELS[::-1])
    with pytest.raises(InvalidMaskError, match="changed since it was checked; run again"):
        look_again(path, found, mask)
    (tmp_path / "x.nii.gz").write_bytes(b"no image")
    with pytest.raises(InvalidMaskError, match="changed since it was checked: "):
        look_again(path, found, mask)


def test_mask_is_read_once_in_a_process(tmp_path):
    path = tmp_path / "A_2mm.nii.gz"
    path.write_bytes(DATA)
    first = PublishedMask(path, MASK).voxels()
    path.unlink()
    assert np.array_equal(first, INSIDE)
    assert PublishedMask(path, MASK).voxels() is first


DAMAGES = {"cut short": lambda data: data[:-4], "another mask": lambda _: tiny_mask("B", seed=1)[0]}


@pytest.mark.parametrize("damage", DAMAGES)
def test_mask_that_is_damaged_after_it_was_published_is_named(tmp_path, damage):
    data, row = tiny_mask("A")
    path = tmp_path / "A_2mm.nii.gz"
    path.write_bytes(DAMAGES[damage](data))
    metadata = BrainMaskMetadata.from_row(row | {"url": "https://example.org/A"})
    published = PublishedMask(path, metadata)
    with pytest.raises(InvalidMaskError, match=f"mask A_2mm: {path} is not the registered mask"):
        published.voxels()
