# SPDX-License-Identifier: MIT
"""A web page with a table of checked images, made from the details of the checks."""

from collections.abc import Mapping

from ..images import Comparison, Policy, read_found
from ..paths import StrPath
from ..storage import publish
from .rendering import render


def tabulate_images(found_path: StrPath, policy: Policy, page_path: StrPath) -> None:
    """Write the page, whether the images are accepted or not.

    Parameters
    ----------
    found_path
        What was found of the images (JSON).
    policy
        What is accepted.
    page_path
        Where to put the page (HTML).
    """
    publish(image_page(read_found(found_path), policy).encode(), page_path)


def image_page(found: Mapping[str, tuple[Mapping[str, str], Comparison]], policy: Policy) -> str:
    """Return the page.

    Parameters
    ----------
    found
        ``image`` and ``mask``, and what was found, of each image by its id.
    policy
        What is accepted.
    """
    images = [
        {"id": name, "accepted": policy.accepts(each), **entry, **each.as_dict()}
        for name, (entry, each) in found.items()
    ]
    return render("images.html.j2", images=images)
