# SPDX-License-Identifier: MIT
"""What an image's values are, and what to do if they are not 0 and 1."""

import nibabel as nib
import numpy as np
import pytest

from brainmasks.images.statistics import statistics
from brainmasks.images.values import (
    findings_beyond,
    is_above,
    largest_finite,
    type_in_words,
    value_findings,
)

NAN, INF = np.nan, np.inf
THRESHOLD = "make it binary at a threshold of your choice"
LABEL = "take out the label that is meant"


def findings(values: np.ndarray) -> list[tuple[str, str]]:
    """Return code and detail of what is wrong with values, in three dimensions."""
    voxels = values.reshape(1, 1, -1)
    # How an image stores its values does not matter here.
    image = nib.Nifti1Image(np.zeros(voxels.shape, np.uint8), np.eye(4))
    _, facts = statistics(image, [voxels])
    found = value_findings(facts, voxels.size)
    if not facts["binary"]:
        found += findings_beyond(voxels)
    return [(each.code, each.detail) for each in found]


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
def test_finite_values_above_one_half_count(dtype):
    values = np.array([-INF, -1, 0, 0.5, 0.5001, 1, 2, INF, NAN], dtype)
    assert is_above(values).tolist() == [False] * 4 + [True] * 3 + [False] * 2


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "i8"])
def test_of_integers_those_above_0_count(dtype):
    values = np.array([-1 if np.dtype(dtype).kind == "i" else 0, 0, 1, 2], dtype)
    assert is_above(values).tolist() == [False, False, True, True]


def test_truth_values_count_as_they_are():
    assert is_above(np.array([False, True])).tolist() == [False, True]


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ([("R", "u1"), ("G", "u1"), ("B", "u1")], "colours (RGB)"),
        ([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")], "colours (RGB)"),
        ([("x", "u1"), ("y", "u1")], "of type [('x', 'u1'), ('y', 'u1')], no numbers"),
        ("c8", "complex numbers"),
        ("S3", "of type |S3, no numbers"),
    ],
    ids=["three colours", "colours with alpha", "other fields", "complex", "text"],
)
def test_types_that_are_no_numbers_are_named(dtype, words):
    assert type_in_words(np.dtype(dtype)) == words


@pytest.mark.parametrize(
    ("values", "largest"),
    [
        (np.array([3, 7, 5], np.uint8), 7.0),
        (np.array([-3, -7], np.int16), -3.0),
        (np.array([-0.5, -2.0]), -0.5),
        (np.array([0.5, INF, NAN, -INF]), 0.5),
        (np.array([NAN, INF]), None),
        (np.array([-INF]), None),
    ],
    ids=["integers", "below 0", "floats below 0", "some finite", "none finite", "minus infinity"],
)
def test_largest_value_is_finite(values, largest):
    found = largest_finite(values)
    assert found == largest
    assert found is None or type(found) is float


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 255], "its values are 0 and 255; make it binary: 1 where it is 255, 0 elsewhere"),
        ([255, 255], "its values are 255; make it binary: 1 where it is 255, 0 elsewhere"),
        ([0, 0.4, 0.6, 0.6], f"its values lie between 0 and 0.6; {THRESHOLD}"),
        ([0, 0.6, 0.6], "its values are 0 and 0.6; make it binary: 1 where it is 0.6, 0 elsewhere"),
        ([0, 1, 2], f"its values are 0, 1 and 2; {LABEL}"),
        ([1, 2], f"its values are 1 and 2; {LABEL}"),
        ([1, -1], f"its values are -1 and 1; {LABEL}"),
        ([0, 1, 3, 5, 8, 8], f"it has 4 labels, up to 8; {LABEL}"),
        ([0, 3, 5], f"it has 2 labels, up to 5; {LABEL}"),
        ([-1, 0, 2], f"its values lie between -1 and 2; {THRESHOLD}"),
        ([1, 2.5, 3], f"its values lie between 1 and 3; {THRESHOLD}"),
        ([1, 1.00000012], f"its values are 1 and 1.00000012; {LABEL}"),
    ],
    ids=[
        "0 and another",
        "another alone",
        "probabilities",
        "0 and a fraction",
        "one label more",
        "one label more without 0",
        "minus 1",
        "labels with 1",
        "labels without 1",
        "below 0",
        "not all whole",
        "rounding",
    ],
)
def test_values_beside_0_and_1_are_told_with_a_remedy(values, said):
    assert findings(np.array(values)) == [("not_binary", f"It is not binary: {said}.")]


@pytest.mark.parametrize(
    "values",
    [[0, 1], [1, 1], [0.0, 1.0], [False, True]],
    ids=["integers", "1 alone", "floats", "truth values"],
)
def test_of_0_and_1_nothing_is_said(values):
    assert findings(np.array(values)) == []


def test_values_that_are_not_finite_are_counted_and_no_reason_to_call_it_not_binary():
    ((code, detail),) = findings(np.array([0, 1, NAN, INF, -INF]))
    assert code == "not_finite"
    assert detail.startswith("3 of its 5 values are NaN or infinite")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 0], "the largest value is 0;"),
        ([0.0, 0.0], "the largest value is 0;"),
        ([0, 0.25], "the largest value is 0.25;"),
        ([-3.0, -3.0], "the largest value is -3;"),
        ([-1e15, -1e15], "the largest value is -1e+15;"),
        ([-999999999999999.0], "the largest value is -999999999999999;"),
        ([NAN], "no value is finite;"),
    ],
    ids=["0", "0 of floats", "a quarter", "below 0", "far below 0", "15 digits", "not finite"],
)
def test_image_without_a_voxel_above_one_half_is_empty(values, said):
    (detail,) = (detail for code, detail in findings(np.array(values)) if code == "empty")
    assert said in detail


def test_large_integers_are_told_exactly():
    ((_, detail),) = findings(np.array([0, 2**60 + 1]))
    assert f"0 and {2**60 + 1}; make it binary: 1 where it is {2**60 + 1}, 0" in detail
