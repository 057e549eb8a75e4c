# SPDX-License-Identifier: MIT

# What the rules of images ask: which images, against which masks, with how much memory?
import contextlib
import functools
import hashlib
import json
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile

# Matches no name if there are no images.
IDS = "|".join(re.escape(name) for name in IMAGES) or "(?!)"


def configured_images(wildcards):
    """Return the images to check; ends the run with a message if none are configured."""
    if not SETTINGS["images"]:
        raise WorkflowError(
            "config key 'images' is not set; expected: the path of a table with the columns "
            "image and mask, or its rows"
        )
    return [local(entry["image"]) for entry in IMAGES.values()]


def unlisted(name):
    """Return a clause on an id that no image has, with those that may have been meant."""
    if not SETTINGS["images"]:
        return f"no image has the id '{name}': config key 'images' is not set"
    near = bm.registry.closest(name, list(IMAGES)) or list(IMAGES)[:2]
    hint = f"did you mean {' or '.join(near)}?" if near else "the table lists none"
    return f"no image of config key 'images' has the id '{name}'; {hint}"


def image(wildcards):
    """Return the path of an image. It is the host's own: a prefix of this module is not its.

    For an id that no image has, a message takes the place of the path.
    """
    if wildcards.id not in IMAGES:
        return instead_of_input(unlisted(wildcards.id))
    return local(IMAGES[wildcards.id]["image"])


def mask_of_image(wildcards):
    """Return the published mask that an image is checked against."""
    if wildcards.id not in IMAGES:
        return []
    return f"{MASKS}/{IMAGES[wildcards.id]['mask']}.nii.gz"


def sidecar_of_image(wildcards):
    """Return the sidecar of that mask."""
    if wildcards.id not in IMAGES:
        return []
    return f"{MASKS}/{IMAGES[wildcards.id]['mask']}.json"


def row_of_image(wildcards):
    """Return what is recorded of the mask that an image is checked against."""
    return REGISTRY.serve(IMAGES[wildcards.id]["mask"]).as_row()


def masks_of_images():
    """Return the names of the masks that images are checked against."""
    return sorted({entry["mask"] for entry in IMAGES.values()})


def rows_of_images(wildcards):
    """Return what is recorded of the masks that images are checked against, by name."""
    return {name: REGISTRY.serve(name).as_row() for name in masks_of_images()}


def every_row(wildcards, output):
    """Return the rows of all masks whose voxels are known: no reason to check an image again if one is added.

    It takes `output`, so that Snakemake counts the parameter as derived and does not record it.
    """
    return [mask.as_row() for mask in REGISTRY.complete()]


def onto_grid(wildcards, output):
    """Return how a rejected image comes onto its mask's grid: no reason to reject it again.

    It takes `output`, as `every_row` does.
    """
    aligned = str(OWN_RULES["align_image"].output.image)
    return {"aligned": aligned, "resample": SETTINGS["resample"]}


def found_of_image(wildcards):
    """Return where it stands what was found of an image, among all others."""
    return f"{CHECKS}/images.found.json" if wildcards.id in IMAGES else []


def with_background(names):
    """Return the spaces of masks for which there is a background, in the order of its inputs."""
    return sorted({REGISTRY.serve(name).space for name in names} & set(BACKGROUNDS))


def backgrounds_of_images(wildcards):
    """Return the paths of the backgrounds of all images. They are the host's own, as images are."""
    return [local(BACKGROUNDS[space]) for space in with_background(masks_of_images())]


def background_of_image(wildcards):
    """Return the path of the background of an image, if there is one."""
    if wildcards.id not in IMAGES:
        return []
    return [local(BACKGROUNDS[space]) for space in with_background([IMAGES[wildcards.id]["mask"]])]


def digests_of_backgrounds(wildcards):
    """Return the SHA-256 of the background of each space that has one."""
    return {space: sha256_of(BACKGROUNDS[space]) for space in with_background(masks_of_images())}


def digests_of_background(wildcards):
    """Return the same for the space of one image."""
    spaces = with_background([IMAGES[wildcards.id]["mask"]])
    return {space: sha256_of(BACKGROUNDS[space]) for space in spaces}


@functools.cache
def sha256_of(path):
    """Return the SHA-256 of a file of the user's, None for one that a rule makes or nobody can read.

    As a parameter it has a job run again if the content is another one, whatever the age of the
    file, and the job uses no other. Of a file that is made Snakemake knows when.
    """
    if workflow.persistence.rule(IOFile(path)) or not Path(path).is_file():
        return None
    # The job refuses one that cannot be read, and says why.
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def memory(wildcards, threads):
    """Return the MB that many images need, in a process for each thread.

    Measured with images of 1 mm: 160 MB for each process that checks, 240 MB for one that draws,
    270 MB over a T1 image of 1 mm.
    """
    return 1000 + 300 * threads


def memory_to_align(wildcards):
    """Return the MB that an image needs to be written on the grid of its mask.

    The image is read in slabs, so its own size counts for nothing. Measured with images of 64 times
    the voxels of a mask of 1 mm: 260 MB, of which 8 to 20 bytes for each voxel of the mask's grid.
    """
    if wildcards.id not in IMAGES:
        return 1000
    size = REGISTRY.serve(IMAGES[wildcards.id]["mask"]).size
    return max(1000, 300 + 30 * size // 10**6)


def digest(content):
    """Return a short text that is another one if the content is."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
