# SPDX-License-Identifier: MIT
"""The gallery of the masks: which are in it, and that the pictures are those of the real files."""

import importlib.util
import re

import numpy as np
import pytest
from PIL import Image
from support import REPO

from brainmasks import BRAIN_MASK_REGISTRY

GALLERY = REPO / "docs" / "gallery"


@pytest.fixture(scope="module")
def make_gallery():
    """Return the script, as a module."""
    spec = importlib.util.spec_from_file_location("make_gallery", REPO / "docs" / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_has_every_registered_mask_once_drawn_or_not(make_gallery):
    text = (REPO / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert text == make_gallery.page()
    drawn = re.findall(r"^!\[.* of (\S+)\]\(gallery/\1\.png\)$", text, flags=re.MULTILINE)
    missing = re.findall(r"^`(\S+)`,?$", text, flags=re.MULTILINE)
    assert sorted(drawn + missing) == sorted(BRAIN_MASK_REGISTRY)
    assert sorted(drawn) == sorted(path.stem for path in GALLERY.iterdir())
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 100_000


def test_pictures_are_those_of_the_real_files(make_gallery, real, monkeypatch, tmp_path):
    monkeypatch.setattr(make_gallery, "PICTURES", tmp_path)
    make_gallery.draw([real / "registered"])
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert len(drawn) == 4
    for name in drawn:
        pixels, committed = (np.asarray(Image.open(f / name)) for f in (tmp_path, GALLERY))
        assert np.array_equal(pixels, committed)


def test_mask_is_drawn_where_it_is(make_gallery):
    """The left of the head at the left, the front at the right, the top at the top."""
    picture = np.asarray(Image.open(GALLERY / "MNI152NLin2009cAsym_1mm.png").convert("P"))
    (x0, x1), (y0, y1), (z0, z1) = make_gallery.WINDOW
    # The sagittal plane, which is padded at top and bottom: the brain stem, and nothing before it.
    row = (picture.shape[0] - (z1 - z0)) // 2 + z1 - -60
    assert picture[row, -40 - y0] == 2
    assert picture[row, 30 - y0] == 1
    # The axial plane: its front is at the top, and its grid ends at -96 mm on the left.
    axial = picture[:, x0 - x1 :]
    assert np.flatnonzero((axial > 0).any(axis=0))[0] == pytest.approx(-96.5 - x0, abs=1)
    rows = np.flatnonzero((axial == 2).any(axis=1))
    y_front, y_back = y1 - rows[0], y1 - rows[-1]
    assert (y_front, y_back) == (pytest.approx(75, abs=6), pytest.approx(-105, abs=6))
