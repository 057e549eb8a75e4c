# SPDX-License-Identifier: MIT
"""What an image's values are: 0 and 1, or something else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..nifti import number_text, values_beyond
from .findings import EMPTY, NOT_BINARY, NOT_FINITE, Finding, found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def is_above(values: "NDArray[Any]") -> "NDArray[np.bool_]":
    """Return which values are finite and above 0.5."""
    import numpy as np

    # Of integers without a copy of all of them as float64.
    floating = values.dtype.kind == "f"
    above: NDArray[np.bool_] = (values > 0.5) & (values < np.inf) if floating else values > 0
    return above


def type_in_words(dtype: "np.dtype[Any]") -> str:
    """Return what values of a type that is no number are."""
    if dtype.names is not None and {"R", "G", "B"} <= set(dtype.names):
        return "colours (RGB)"
    return {"c": "complex numbers"}.get(dtype.kind, f"of type {dtype}, no numbers")


def largest_finite(values: "NDArray[Any]") -> float | None:
    """Return the largest finite value, None if there is none."""
    import numpy as np

    if values.dtype.kind != "f":
        return float(values.max())
    largest = values.max(initial=-np.inf, where=np.isfinite(values))
    return float(largest) if np.isfinite(largest) else None


def value_findings(facts: Mapping[str, Any], size: int) -> list[Finding]:
    """Return what is wrong with an image's values, but for those beside 0 and 1.

    Parameters
    ----------
    facts
        What `statistics` returned for them.
    size
        How many voxels it has.
    """
    findings = []
    if facts["non_finite"]:
        findings.append(found(NOT_FINITE, count=facts["non_finite"], all=size))
    if not facts["voxels"]:
        largest, finite = facts["maximum"], "finite " if facts["non_finite"] else ""
        said = "no value is finite"
        if largest is not None:
            said = f"the largest {finite}value is {number_text(largest)}"
        findings.append(found(EMPTY, finite=finite, maximum=said))
    return findings


def findings_beyond(values: "NDArray[Any]") -> list[Finding]:
    """Return that an image's values are not 0 and 1, if any that is finite is not.

    Parameters
    ----------
    values
        All of its voxels, with slope and intercept applied.
    """
    problem = values_beyond(values)
    return [found(NOT_BINARY, values=problem[0], remedy=problem[1])] if problem else []
