# SPDX-License-Identifier: MIT
"""A web page with a table of checked images, made from the details of the checks."""

from collections.abc import Mapping
from typing import Any

from ..images import Comparison, Policy, read_found
from ..paths import StrPath
from ..storage import publish
from .rendering import filters, render


def tabulate_images(
    found_path: StrPath, policy: Policy, page_path: StrPath, views: bool = False
) -> None:
    """Write the page, whether the images are accepted or not.

    Parameters
    ----------
    found_path
        What was found of the images (JSON).
    policy
        What is accepted.
    page_path
        Where to put the page (HTML).
    views
        Whether there are interactive views beside the page.
    """
    publish(image_page(read_found(found_path), policy, views).encode(), page_path)


def image_page(
    found: Mapping[str, tuple[Mapping[str, str], Comparison]], policy: Policy, views: bool = False
) -> str:
    """Return the page.

    Parameters
    ----------
    found
        ``image`` and ``mask``, and what was found, of each image by its id.
    policy
        What is accepted.
    views
        Whether there are interactive views beside the page.
    """
    images = [_row(name, entry, each, policy) for name, (entry, each) in found.items()]
    labels = ("Outcome", "Verdict", "Finding", "Mask")
    return render(
        "images.html.j2",
        images=images,
        views=views,
        filters=filters(labels, [image["choices"] for image in images]),
    )


def _row(name: str, entry: Mapping[str, str], found: Comparison, policy: Policy) -> dict[str, Any]:
    outcome = "accepted" if policy.accepts(found) else "rejected"
    return {
        "id": name,
        "outcome": outcome,
        "codes": (found.verdict, *found.codes),
        "reasons": [code for code, _ in policy.reasons(found)],
        "choices": [[outcome], [found.verdict], found.codes, [entry["mask"]]],
        **entry,
        **found.as_dict(),
    }
