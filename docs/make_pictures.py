# SPDX-License-Identifier: MIT
"""Make the pictures of README from the real mask and a real lesion, where these are at hand.

Usage: python docs/make_pictures.py FOLDER

FOLDER holds `registered/` (the masks, named as in the cache) and `lesions/`. The pictures are those
that the rules `draw_mask` and `draw_images` make, smaller and with few colours.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

REPO = Path(__file__).resolve().parents[1]
MASK = "MNI152NLin6Asym_2mm"
LESION = "sub-01"
FILE = f"{LESION}_ses-01_space-MNI152NLin6Asym_label-acuteinfarct_mask.nii.gz"
# Pixels across, and colours: readable in README, and both files together below 150 kB.
WIDTH, COLORS = 1200, 64


def draw(folder: Path, work: Path) -> None:
    """Run the workflow on the real files, without network and without the user's cache."""
    lesion = folder / "lesions" / FILE
    (work / "images.tsv").write_text(
        f"image\tmask\tid\n{lesion}\tMNI152NLin6Asym_1mm\t{LESION}\n", encoding="utf-8"
    )
    config = {
        "cache_dir": str(work / "cache"),
        "site_caches": [str(folder / "registered")],
        "images": "images.tsv",
        "offline": True,
    }
    (work / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPO / "Snakefile")]
    command += ["--configfile", "config.json", "--cores", "1"]
    command += [f"qc/{name}.png" for name in (MASK, LESION)]
    subprocess.run(command, cwd=work, check=True)


def shrink(picture: Path, smaller: Path) -> None:
    """Save a picture with fewer pixels and colours."""
    image = Image.open(picture).convert("RGB")
    image = image.resize((WIDTH, image.height * WIDTH // image.width), Image.Resampling.LANCZOS)
    # Of the methods this one keeps the red of a small lesion.
    method = Image.Quantize.FASTOCTREE
    image.quantize(COLORS, method, dither=Image.Dither.NONE).save(smaller, optimize=True)


def main(folder: Path) -> None:
    """Draw the pictures and put them beside this script."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        draw(folder.resolve(), work)
        for source, target in ((MASK, "mask"), (LESION, "lesion")):
            shrink(work / "qc" / f"{source}.png", REPO / "docs" / "pictures" / f"{target}.png")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
