# SPDX-License-Identifier: MIT
"""An interactive view of an image over its mask: three planes, through which one moves."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import MaskError
from ..images import Examined, Policy, PublishedMask, look_again, read_found
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import publish
from .background import Background, BackgroundFile, background_under
from .image_picture import COLORS, OUTLINE
from .image_scene import INSIDE, OUTSIDE, scene_of
from .image_slice import OPACITY
from .image_words import facts_in_words
from .montage_png import require_matplotlib
from .rendering import render
from .view_volume import EDGE, ViewVolume, view_volume

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of the numbers of colours in `ViewVolume.over`, from 1.
OVER = (OUTLINE, COLORS[INSIDE], COLORS[OUTSIDE])
# The cross has the width of a cube: it would hide an image of few.
FEW = 27
# Nilearn before this version writes the coordinate of the next slice below each slice.
LABELLED = (0, 14, 1)


def view_image(
    name: str,
    found_path: StrPath,
    mask: PublishedMask,
    policy: Policy,
    view_path: StrPath,
    background: BackgroundFile | None = None,
) -> None:
    """Write the view of an image, whether it is accepted or not.

    Parameters
    ----------
    name
        The id of the image.
    found_path
        What was found of the images (JSON).
    mask
        The published mask that it was compared to.
    policy
        What is accepted.
    view_path
        Where to put the view, a page (HTML) that needs no other file and no network.
    background
        What is drawn under the image; the brain and the grid of the mask if it is None.

    Raises
    ------
    MaskError
        If nilearn is not installed, the image is not what it was when it was checked, or the
        background cannot be that of its space.
    """
    _require_nilearn()
    entry, found = read_found(found_path)[name]
    under = background_under(background, mask) if background else None
    examined = look_again(entry["image"], found, mask)
    page = view_page(
        examined, mask.metadata, mask.voxels(), name, entry, policy.accepts(found), under
    )
    publish(page.encode(), view_path)


def view_page(
    examined: Examined,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    name: str,
    entry: Mapping[str, str],
    accepted: bool,
    background: Background | None = None,
) -> str:
    """Return the page with the view of an image, or with the reason why it has none.

    Parameters
    ----------
    examined
        What was found about the image.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    name, entry
        The id of the image; ``image`` and ``mask``, by which names it goes.
    accepted
        Whether a run goes on with the image.
    background
        What is drawn under the image.

    Raises
    ------
    MaskError
        If nilearn is not installed.
    """
    scene = scene_of(examined, mask, mask_voxels)
    found = examined.comparison
    viewer, missing, width, height = None, None, 0, 0
    if scene.image is None:
        missing = scene.hidden or _why_missing(examined)
    else:
        volume = view_volume(scene, scene.image, mask, mask_voxels, background)
        viewer = _viewer(volume)
        x, y, z = volume.over.shape
        width, height = y + 2 * x, max(y, z)
    return render(
        "view.html.j2",
        id=name,
        entry=entry,
        accepted=accepted,
        found=found.as_dict(),
        facts=facts_in_words(found),
        hidden=scene.hidden if viewer else None,
        missing=missing,
        background=background.in_words if background and viewer else None,
        viewer=viewer,
        width=width,
        height=height,
    )


def _why_missing(examined: Examined) -> str:
    if examined.comparison.voxels is None:
        return "Its voxels were not read."
    return "It is not known where its voxels lie."


def _viewer(volume: ViewVolume) -> str:
    """Return nilearn's page."""
    version = _require_nilearn()
    import nibabel as nib
    from matplotlib.colors import ListedColormap
    from nilearn.plotting import view_img

    affine = volume.affine.copy()
    if version < LABELLED:
        # One voxel behind, so that the next slice has the coordinate of this one.
        affine[:3, 3] -= affine.diagonal()[:3]
    colors = ListedColormap(list(OVER))
    view = view_img(
        nib.Nifti1Image(volume.over, affine),
        bg_img=nib.Nifti1Image(volume.under, affine),
        cut_coords=volume.start,
        colorbar=False,
        # Numbers of colours are 1, 2, 3; what is less is transparent.
        threshold=0.5,
        vmin=0.5,
        vmax=len(OVER) + 0.5,
        cmap=colors,
        symmetric_cmap=False,
        black_bg=True,
        dim=0,
        opacity=OPACITY,
        draw_cross=bool((volume.over > EDGE).sum() > FEW),
        resampling_interpolation="nearest",
    )
    # Newer versions name an icon on a server, which the page around it does not let be fetched.
    return re.sub(r"<link\b[^>]*>", "", view.html)


def _require_nilearn() -> tuple[int, ...]:
    """Return nilearn's version; raise if it is not installed."""
    require_matplotlib()
    try:
        import nilearn
    except ImportError as err:
        raise MaskError(
            "interactive views need nilearn: install what requirements-view.txt lists "
            "(docs/pictures.md says how), or run with --software-deployment-method conda"
        ) from err
    return tuple(int(part) for part in nilearn.__version__.split(".")[:3])
