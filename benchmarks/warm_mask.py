# SPDX-License-Identifier: MIT
"""A mask that is cached, in a fresh process: `load_brain_mask`, and what others do instead.

    BRAINMASKS_REAL_MASKS=... python benchmarks/warm_mask.py [--rounds N]

Each process ends with the path of the mask. What upstream does is pooch with the registered
SHA-256, nibabel, and `np.unique` of the voxels. nilearn has a mask of its own in the package, and
TemplateFlow's client a file that it does not verify: they are measured if they are installed.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

from bench_data import python, real_mask
from side_by_side import Row, Work, compared, environment, in_turns, run

OURS = 'import brainmasks; brainmasks.load_brain_mask("MNI152NLin6Asym", 2)'
UPSTREAM = """
import sys, nibabel, numpy, pooch
url, sha256 = "https://example.org/mask.nii.gz", f"sha256:{sys.argv[2]}"
path = pooch.retrieve(url, sha256, fname="mask.nii.gz", path=sys.argv[1])
assert set(numpy.unique(nibabel.load(path).get_fdata())) == {0, 1}
"""
NILEARN = (
    "from nilearn.datasets import load_mni152_brain_mask; load_mni152_brain_mask(resolution=2)"
)
TEMPLATEFLOW = """
from templateflow.api import get
assert get("MNI152NLin6Asym", resolution=2, desc="brain", suffix="mask")
"""


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows; `small` changes nothing: the mask is what it is."""
    mask = real_mask()
    if mask is None:
        sys.exit("the real masks are needed: BRAINMASKS_REAL_MASKS names the folder that has them")
    from brainmasks import BRAIN_MASK_REGISTRY

    for copy in (folder / "cache" / "masks" / mask.name, folder / "pooch" / "mask.nii.gz"):
        copy.parent.mkdir(parents=True)
        shutil.copyfile(mask, copy)
    sha256 = BRAIN_MASK_REGISTRY["MNI152NLin6Asym_2mm"].sha256

    def work(name: str, code: str, *arguments: object) -> Work:
        return Work(name, [python(code, *arguments)], folder)

    ours = work("`load_brain_mask`, warm", OURS)
    imports = work("`import numpy, nibabel`", "import numpy, nibabel")
    upstream = work("pooch, nibabel and `np.unique`", UPSTREAM, folder / "pooch", sha256)
    peers = []
    if importlib.util.find_spec("nilearn"):
        peers.append(work("nilearn, its own mask", NILEARN))
    if importlib.util.find_spec("templateflow"):
        path = folder / "templateflow" / "tpl-MNI152NLin6Asym"
        path.mkdir(parents=True)
        shutil.copyfile(mask, path / "tpl-MNI152NLin6Asym_res-02_desc-brain_mask.nii.gz")
        peers.append(work("TemplateFlow's client, not verified", TEMPLATEFLOW))
    env = environment(folder, TEMPLATEFLOW_AUTOUPDATE="off", TEMPLATEFLOW_USE_DATALAD="off")
    found = in_turns([ours, imports, upstream, *peers], env, rounds, cpu=cpu)
    return [
        compared(found, ours, imports, 1.15),
        compared(found, ours, upstream, 0.95),
        compared(found, upstream, imports, None),
        *(compared(found, peer, imports, None) for peer in peers),
    ]


if __name__ == "__main__":
    run(measure, __doc__)
