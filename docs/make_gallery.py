# SPDX-License-Identifier: MIT
"""Draw every registered mask whose real file is at hand, and write docs/gallery.md.

Usage: python docs/make_gallery.py FOLDER...

A file below a FOLDER is a registered mask if its hash says so, or that of its canonical encoding,
whatever it is called: TemplateFlow's cache will do. Pictures of masks that are not at hand stay as
they are.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "scripts"))

from brainmasks import InvalidMaskError  # noqa: E402
from brainmasks.nifti import (  # noqa: E402
    LARGEST_FILE,
    canonical_file,
    md5,
    nearest,
    read_image,
    recodings,
    stored_voxels,
)
from brainmasks.registry import BrainMaskMetadata, shipped_registry  # noqa: E402
from brainmasks.storage import gunzip_whole, is_gzip, read_bounded  # noqa: E402

PAGE, PICTURES = REPO / "docs" / "gallery.md", REPO / "docs" / "gallery"
# One window in mm for all masks, a pixel for each mm: they can be compared.
WINDOW = ((-100, 100), (-135, 100), (-80, 110))
# Where the slices are, in mm.
AT = (0, -20, 10)
# Pixels between the planes.
GAP = 8
COLORS = ("ffffff", "e6ebf0", "2f6690")
BEGINNING = """\
# Gallery of the masks

One slice of each plane, at x = {0}, y = {1} and z = {2} mm, with one pixel for each mm: the same
place and scale for all. The left of the head is at the left. The mask is blue, the rest of its grid
pale. Each picture is drawn from a file that is the registered mask, by its hash.
[masks.md](masks.md) says which mask to take for what.

"""
MISSING = """
## Not drawn

No file of these was at hand when this page was made, because it takes the network to have them:
`python docs/make_gallery.py FOLDER` draws those that it finds in a folder, such as TemplateFlow's
cache.

"""


def files_below(folders: Iterable[Path]) -> Iterator[bytes]:
    """Yield the files that may be masks."""
    for folder in folders:
        for path in sorted(folder.rglob("*.nii*")):
            if path.is_file():
                yield read_bounded(path, LARGEST_FILE)


def is_mask(data: bytes, mask: BrainMaskMetadata) -> bool:
    """Return whether a file is a registered mask, in whatever encoding if its SHA-256 is known."""
    if not mask.is_complete:
        return md5(data) == mask.md5
    try:
        return any(
            hashlib.sha256(each).hexdigest() == mask.sha256 for each in recodings(data, mask)
        )
    except InvalidMaskError:
        return False


def content(data: bytes) -> bytes:
    """Return a file, gunzipped."""
    return gunzip_whole(data, LARGEST_FILE) if is_gzip(data) else data


def planes(data: bytes, mask: BrainMaskMetadata) -> list[np.ndarray]:
    """Return the slices: 0 beyond the grid, 1 in it, 2 in the mask; as rows from the top."""
    canonical, whole = canonical_file(data, mask)
    if mask.is_complete:
        canonical = next(iter(recodings(data, mask)))
    inside = stored_voxels(read_image(content(canonical))) == 1
    shown = []
    for across in range(3):
        shape = [high - low for low, high in WINDOW]
        affine = np.eye(4)
        affine[:3, 3] = [low + 0.5 for low, _ in WINDOW]
        shape[across], affine[across, 3] = 1, AT[across]
        on = (whole.shape, whole.affine, tuple(shape), affine)
        numbers = nearest([np.ones(whole.shape, np.uint8)], *on) + nearest(
            [inside.astype(np.uint8)], *on
        )
        shown.append(numbers.take(0, axis=across).T[::-1])
    return shown


def picture(slices: list[np.ndarray]) -> Image.Image:
    """Return the slices side by side."""
    height = max(len(each) for each in slices)
    row = []
    for each in slices:
        above = (height - len(each)) // 2
        below = height - len(each) - above
        row += [np.pad(each, ((above, below), (0, GAP)))]
    image = Image.fromarray(np.hstack(row)[:, :-GAP].astype(np.uint8), mode="P")
    image.putpalette(bytes.fromhex("".join(COLORS)))
    return image


def draw(folders: Iterable[Path]) -> None:
    """Draw the masks that are found."""
    wanted = {mask.name: mask for mask in shipped_registry().list()}
    PICTURES.mkdir(exist_ok=True)
    for data in files_below(folders):
        found = [name for name, mask in wanted.items() if is_mask(data, mask)]
        for name in found:
            path = PICTURES / f"{name}.png"
            picture(planes(data, wanted.pop(name))).save(path, optimize=True, bits=2)


def page() -> str:
    """Return the page, with the pictures that there are."""
    drawn, missing = [], []
    for mask in sorted(shipped_registry().list(), key=lambda mask: mask.name):
        if (PICTURES / f"{mask.name}.png").exists():
            drawn.append(f"## {mask.name}\n\n{facts(mask)}\n\n{shown(mask.name)}\n")
        else:
            missing.append(f"`{mask.name}`")
    listed = ",\n".join(missing) + "\n" if missing else ""
    return (
        BEGINNING.format(*AT).replace("-", "\N{MINUS SIGN}", 1)
        + "\n".join(drawn)
        + (MISSING + listed if listed else "")
    )


def facts(mask: BrainMaskMetadata) -> str:
    """Return a line on a mask."""
    grid = "x".join(map(str, mask.shape))
    if not mask.voxels:
        return f"Grid {grid}."
    ml = mask.voxels * float(np.prod(mask.zooms)) / 1000
    return f"{mask.voxels:,} voxels, {ml:,.0f} ml, grid {grid}."


def shown(name: str) -> str:
    """Return a picture in Markdown."""
    return f"![Sagittal, coronal and axial slice of {name}](gallery/{name}.png)"


def main(folders: list[Path]) -> None:
    """Draw the masks, and write the page."""
    draw(folders)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(each) for each in sys.argv[1:]])
