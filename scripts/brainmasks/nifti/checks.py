# SPDX-License-Identifier: MIT
"""Is this file the registered mask? Every check is run, every problem reported."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import Stream, gunzip
from .headers import voxel_size_problem
from .orientation import TOLERANCE, contradiction
from .reading import (
    array_proxy,
    content_limit,
    has_orientation,
    read_image,
    scaled_voxels,
    stored_voxels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

PASSED = "passed"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Evidence:
    """A file under examination, as far as it could be read.

    Attributes
    ----------
    stream : Stream
        The gunzipped file.
    image : nibabel.Nifti1Image or nibabel.Nifti2Image
        None if the content is not NIfTI.
    image_problem : str
        Why the content is not NIfTI.
    stored, scaled : array
        The voxels before and after slope and intercept; None if there are far more of them than
        the registered grid has.
    """

    stream: Stream
    # Each is None or what the docstring says. A check runs only if what it needs is there: see
    # `CHECKS`. So the checks need not ask, and the types do not say.
    image: Any
    image_problem: str | None
    stored: Any
    scaled: Any

    @property
    def content(self) -> bytes | None:
        """The gunzipped file; None if nothing of it could be read."""
        return self.stream.content or (None if self.stream.problem else b"")

    @cached_property
    def nonzero(self) -> int:
        """How many voxels are not 0 after slope and intercept; for two checks, counted once."""
        import numpy as np

        return int(np.count_nonzero(self.scaled))


def gzip_stream(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The whole stream is readable, its checksum and length are right, nothing follows it."""
    if evidence.stream.problem:
        yield evidence.stream.problem


def nifti(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The content is a NIfTI image, complete."""
    if evidence.image_problem:
        yield evidence.image_problem


def three_dimensional(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The image has three dimensions."""
    if evidence.image.ndim != 3:
        yield f"it has {evidence.image.ndim} dimensions {evidence.image.shape}, expected 3"


def shape(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The image has the registered number of voxels along each axis."""
    if evidence.image.shape != mask.shape:
        yield f"its shape is {evidence.image.shape}, registered {mask.shape}"


def affine(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The image lies on the registered grid, stored in RAS order."""
    import numpy as np

    if not has_orientation(evidence.image):
        yield "it has no orientation: qform and sform code are 0"
    # `not <=`, so that NaN in an affine counts as a difference
    elif not np.abs(evidence.image.affine - mask.affine).max() <= TOLERANCE:
        yield (
            f"its affine is {evidence.image.affine.tolist()}, registered {mask.affine.tolist()} "
            f"(tolerance {TOLERANCE} mm)"
        )


def one_orientation(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """qform, sform and voxel sizes, as far as they are set, place the voxels alike."""
    if why := voxel_size_problem(evidence.stream.content):
        yield why
    elif why := contradiction(evidence.image):
        yield f"its header contradicts itself: {why}"


def stored_type(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The voxels are stored as uint8."""
    dtype = array_proxy(evidence.image).dtype
    if dtype != "uint8":
        yield f"its voxels are stored as {dtype.name}, expected uint8"


def finite(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """No voxel is NaN or infinite."""
    import numpy as np

    if evidence.scaled.dtype.kind == "f":
        odd = np.count_nonzero(~np.isfinite(evidence.scaled))
        if odd:
            yield f"{odd} voxels are NaN or infinite"


def binary_as_stored(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """Every stored value is 0 or 1."""
    yield from _not_binary(evidence.stored, "stored")


def binary_as_scaled(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """Every value is 0 or 1 after the header's slope and intercept."""
    if evidence.scaled is not evidence.stored:
        yield from _not_binary(evidence.scaled, "scaled")


def not_empty(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """At least one voxel is 1."""
    if not evidence.nonzero:
        yield "it is empty: no voxel is 1"


def voxel_count(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """As many voxels are 1 as registered."""
    import numpy as np

    voxels = evidence.scaled
    # Where there is nothing but 0 and 1 they need not be compared, into a second array, with 1.
    ones = evidence.nonzero if _only_zero_and_one(voxels) else np.count_nonzero(voxels == 1)
    found = int(ones)
    if found != mask.voxels:
        yield f"{found} voxels are 1, registered {mask.voxels}"


def content_sha256(evidence: Evidence, mask: BrainMaskMetadata) -> Iterator[str]:
    """The gunzipped file has the registered SHA-256."""
    found = hashlib.sha256(evidence.stream.content).hexdigest()
    if found != mask.content_sha256:
        yield f"its content has SHA-256 {found}, registered {mask.content_sha256}"


# Each check, and what of the evidence it needs: a check that cannot look is "not run".
CHECKS = (
    (gzip_stream, ()),
    (nifti, ("content",)),
    (three_dimensional, ("image",)),
    (shape, ("image",)),
    (affine, ("image",)),
    (one_orientation, ("image",)),
    (stored_type, ("image",)),
    (finite, ("image", "scaled")),
    (binary_as_stored, ("image", "stored")),
    (binary_as_scaled, ("image", "scaled")),
    (not_empty, ("image", "scaled")),
    (voxel_count, ("image", "scaled")),
    (content_sha256, ("content",)),
)


def examine(data: bytes, mask: BrainMaskMetadata) -> dict[str, str]:
    """Run every check on a file.

    Parameters
    ----------
    data
        The file, gzipped NIfTI.
    mask
        What is registered.

    Returns
    -------
    dict
        For each check ``"passed"``, ``"not run"``, or what is wrong.
    """
    evidence = _collect(data, mask)
    outcome = {}
    for check, needs in CHECKS:
        if any(getattr(evidence, need) is None for need in needs):
            outcome[check.__name__] = NOT_RUN
        else:
            outcome[check.__name__] = "; ".join(check(evidence, mask)) or PASSED
    return outcome


def require_valid(data: bytes, mask: BrainMaskMetadata, path: StrPath) -> dict[str, str]:
    """Run every check, and insist that all of them pass.

    Returns
    -------
    dict
        As `examine` does.

    Raises
    ------
    InvalidMaskError
        (a ValueError) naming every problem.
    """
    outcome = examine(data, mask)
    problems = [text for text in outcome.values() if text not in (PASSED, NOT_RUN)]
    if problems:
        raise InvalidMaskError(
            f"mask {mask.name}: {path} is not the registered mask: {'; '.join(problems)}. "
            "Correct its row in the registry, or register a file that passes (RAS order, uint8, 0 "
            "and 1)"
        )
    return outcome


def limited_to_registered(outcome: dict[str, str], mask: BrainMaskMetadata) -> dict[str, str]:
    """Return the outcome of checks without what was compared to nothing that is registered.

    Parameters
    ----------
    outcome
        For each check, as `examine` returns it, of a mask that was completed from its own file.
    mask
        What is registered.
    """
    unknown = {
        "affine": "passed, but for the origin, which is not registered",
        "voxel_count": f"{NOT_RUN}: not registered",
        "content_sha256": f"{NOT_RUN}: not registered",
    }
    stated = {
        "affine": mask.origin is not None,
        "voxel_count": bool(mask.voxels),
        "content_sha256": bool(mask.content_sha256),
    }
    return outcome | {check: text for check, text in unknown.items() if not stated[check]}


def in_words(outcome: dict[str, str]) -> str:
    """Return how many checks passed, and which could not look, for a log."""
    passed = sum(text.startswith(PASSED) for text in outcome.values())
    others = [check for check, text in outcome.items() if text.startswith(NOT_RUN)]
    return f"{passed} checks passed" + (f", not run: {', '.join(others)}" if others else "")


def _collect(data: bytes, mask: BrainMaskMetadata) -> Evidence:
    stream = gunzip(data, content_limit(mask.size))
    image = image_problem = stored = scaled = None
    try:
        image = read_image(stream.content)
    except InvalidMaskError as err:
        image_problem = str(err)
    # Voxels of an image far larger than the grid are never read: memory is bounded by the grid.
    if image is not None and math.prod(image.shape) <= 2 * mask.size:
        stored = stored_voxels(image)
        proxy = array_proxy(image)
        scaled = stored if (proxy.slope, proxy.inter) == (1, 0) else scaled_voxels(image)
    return Evidence(stream, image, image_problem, stored, scaled)


def _not_binary(voxels: "NDArray[Any]", how: str) -> Iterator[str]:
    if _only_zero_and_one(voxels):
        return
    odd = voxels[(voxels != 0) & (voxels != 1)]
    if odd.size:
        yield (
            f"it is not binary: {odd.size} {how} values are neither 0 nor 1, for example "
            f"{odd.flat[0]}"
        )


def _only_zero_and_one(voxels: "NDArray[Any]") -> bool:
    """Return True for the usual case, found without another array; False says nothing."""
    return voxels.dtype.kind in "ub" and voxels.max() <= 1
