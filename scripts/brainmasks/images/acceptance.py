# SPDX-License-Identifier: MIT
"""Does a run go on with an image? What the configuration says of verdicts and findings."""

from collections.abc import Sequence
from dataclasses import dataclass

from .verdicts import NOT_AN_IMAGE, Comparison


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
