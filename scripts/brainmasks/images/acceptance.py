# SPDX-License-Identifier: MIT
"""Does a run go on with an image? What the configuration says of verdicts and findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .findings import IS_FLIPPED_MASK, NOT_NUMERIC
from .methods import RESAMPLABLE
from .verdicts import IDENTICAL, NOT_AN_IMAGE, SAME_GRID, VERDICTS, Comparison

# In the world of its mask, as far as a grid can tell: affines lead from one to the other.
BY_AFFINE = (*SAME_GRID, *RESAMPLABLE)
# No analysis wants such an image.
NEVER_RIGHT = (NOT_NUMERIC, IS_FLIPPED_MASK)


@dataclass(frozen=True)
class Policy:
    """What a run goes on with.

    Attributes
    ----------
    accept : sequence of str
        Verdicts that are accepted; ``not_an_image`` never is.
    refuse : sequence of str
        Codes of findings that are not.
    """

    accept: Sequence[str]
    refuse: Sequence[str]

    def accepts(self, found: Comparison) -> bool:
        """Return whether an image is accepted."""
        return not self.reasons(found)

    def reasons(self, found: Comparison) -> list[tuple[str, str]]:
        """Return verdict and codes for which an image is rejected, each with its detail."""
        reasons = []
        if found.verdict not in self.accept or found.verdict == NOT_AN_IMAGE:
            reasons.append((found.verdict, found.detail))
        return reasons + [
            (each.code, each.detail) for each in found.findings if each.code in self.refuse
        ]

    def accepts_on_grid(self, found: Comparison) -> bool:
        """Return whether an image would be accepted once it is on the grid of its mask."""
        return IDENTICAL in self.accept and all(
            verdict == found.verdict for verdict, _ in self.reasons(found)
        )

    def widened(self, rejected: Iterable[Comparison]) -> "Policy":
        """Return a policy that accepts those of the rejected images that may be right.

        What none of them needs is not changed.
        """
        reasons = [{code for code, _ in self.reasons(each)} for each in rejected]
        right = [codes for codes in reasons if all(map(_may_be_right, codes))]
        needed = set().union(*right)
        return Policy(
            [v for v in VERDICTS if v in self.accept or v in needed],
            [code for code in self.refuse if code not in needed],
        )


def _may_be_right(code: str) -> bool:
    return code in BY_AFFINE or (code not in VERDICTS and code not in NEVER_RIGHT)
