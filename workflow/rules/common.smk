# Settings, registry and the functions that the rules use.
#
# Every file of this repository is reached through workflow.source_path(), called here and not in
# the package: that is what works from a clone, as a module, and from a URL alike.
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# Naming a file fetches it: here beside the scripts, so that these can import the package.
PACKAGE = {
    name: workflow.source_path(f"../../scripts/brainmasks/{name}.py")
    for name in (
        "__init__",
        "arrived",
        "batch",
        "cache",
        "checks",
        "compare",
        "draw",
        "errors",
        "fetch",
        "files",
        "grids",
        "image",
        "images",
        "job",
        "load",
        "lock",
        "mirrors",
        "modes",
        "names",
        "opened",
        "overlay",
        "publish",
        "recode",
        "registry",
        "settings",
        "sheet",
        "sidecar",
        "steps",
        "stock",
        "stream",
        "tables",
        "tabulate",
        "tabulate_images",
        "target",
        "transfer",
        "urls",
        "verdicts",
        "version",
        "voxels",
        "web",
    )
}
SCRIPTS = {
    name: workflow.source_path(f"../../scripts/{name}.py")
    for name in (
        "download",
        "checksum",
        "validate",
        "check_images",
        "check_image",
        "align_image",
        "prefetch",
        "status",
        "draw_mask",
        "draw_images",
        "tabulate_masks",
        "tabulate_images",
    )
}
SETTINGS_FILE = workflow.source_path("../../config/config.yaml")
# Named here to have them beside the copies of masks.smk and qc.smk.
workflow.source_path("../../envs/masks.yaml")
workflow.source_path("../../envs/qc.yaml")
workflow.source_path("../report/image.rst")
workflow.source_path("../report/images.rst")
workflow.source_path("../report/mask.rst")
workflow.source_path("../report/masks.rst")
MASKS_TABLE = workflow.source_path("../../config/masks.tsv")
MIRRORS_TABLE = workflow.source_path("../../config/mirrors.tsv")
CONFIG_SCHEMA = workflow.source_path("../schemas/config.schema.json")
REGISTRY_SCHEMA = workflow.source_path("../schemas/registry.schema.json")
IMAGES_SCHEMA = workflow.source_path("../schemas/images.schema.json")
MIRRORS_SCHEMA = workflow.source_path("../schemas/mirrors.schema.json")


def load_package():
    """Return the package, under a private name.

    Nothing is added to sys.path: a host workflow sees nothing of it, and two versions of this
    workflow can be used side by side.
    """
    init = str(PACKAGE["__init__"])
    name = f"_brainmasks_{hashlib.sha256(init.encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, init, submodule_search_locations=[os.path.dirname(init)]
        )
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


bm = load_package()


def read_tables():
    """Return settings, registry, mirrors and images; a wrong one ends the run with one message."""
    try:
        # `config` itself is not changed: it may be the host workflow's own.
        settings = bm.read_settings(SETTINGS_FILE, CONFIG_SCHEMA, config)
        registry = bm.read_registry(
            [bm.user_path(settings["registry"] or MASKS_TABLE)]
            + [bm.user_path(path) for path in settings["extra_registries"]],
            REGISTRY_SCHEMA,
            settings["aliases"],
        )
        mirrors = {}
        if settings["mirrors"] is not False:
            mirrors = bm.read_mirrors(
                bm.user_path(settings["mirrors"] or MIRRORS_TABLE), MIRRORS_SCHEMA
            )
        images = {}
        if settings["images"]:
            images = bm.read_images(bm.user_path(settings["images"]), IMAGES_SCHEMA, registry)
        for mask in settings["masks"]:
            try:
                registry.serve(mask)
            except bm.UnknownMaskError as err:
                raise WorkflowError(f"config key 'masks': {err}") from None
    except bm.MaskError as err:
        raise WorkflowError(str(err)) from None
    return settings, registry, mirrors, images


SETTINGS, REGISTRY, MIRRORS, IMAGES = read_tables()
# Matches no name if there are no images.
IDS = "|".join(re.escape(name) for name in IMAGES) or "(?!)"
REGISTERED = REGISTRY.by_hash()
# Jobs of one group that depend on each other are one job of a cluster; locally it means nothing.
MASK_GROUP = "brain_mask" if SETTINGS["submit_masks"] else None


def script_file(name):
    """Return the path of a script, for a `script:` directive.

    Snakemake runs a job again if its script is a local file younger than the output, as every
    file of a fresh clone is. This is the copy in the source cache: its age says nothing, and is
    set to the oldest there is. CHECKS_VERSION says when changed code must validate again.
    """
    path = SCRIPTS[name]
    # A copy that belongs to somebody else keeps its age; it works all the same.
    with contextlib.suppress(PermissionError):
        os.utime(path, (0, 0))
    # Not a string: Snakemake would record the path, which is another one in every run. It also
    # keeps Snakemake's `--cache`, which verifies nothing, from taking these rules.
    return Path(path)


def regenerate(damage, paths):
    """Have files regenerated whose content is not what it must be, whatever their times say.

    Called while Snakemake plans its jobs. The files are removed, so that nothing wrong stands
    whatever becomes of the run, and the job that makes them is forced, as by `--forcerun`: it then
    runs under any `--rerun-triggers`, and also where only files that are there depend on it.
    What plans without running (a dry run, a report, a summary, ...) removes nothing.

    Parameters
    ----------
    damage
        What is wrong; None if nothing is.
    paths
        All outputs of the job.
    """
    if not damage:
        return
    if workflow.touch:
        raise WorkflowError(f"{damage}; `--touch` does not mend it: run without")
    workflow.dag.forcefiles.update(paths)
    # Only a run has an executor; of a run's jobs on other machines, this one has removed the files.
    if workflow.executor_plugin is None or workflow.dryrun or not workflow.is_main_process:
        logger.warning(f"{damage}; a run removes it, and regenerates it.")
        return
    for path in paths:
        try:
            Path(path).unlink(missing_ok=True)
        except OSError as err:
            raise WorkflowError(
                f"{damage}; it cannot be removed ({err.strerror}): remove it"
            ) from None
    logger.warning(f"{damage}; it is removed, and regenerated.")


def nothing_but_published(wildcards):
    """Return no input files; has a published mask regenerated that is not the registered one."""
    try:
        mask = REGISTRY.serve(wildcards.mask)
    except bm.MaskError:
        return []  # a file of a host workflow, or a misspelt mask: `download` says so
    paths = outputs("validate", wildcards)
    regenerate(bm.published_damage(mask.as_row(), *paths), paths)
    return []


def serve(wildcards):
    """Return the registry's entry for the mask that is asked for."""
    try:
        return REGISTRY.serve(wildcards.mask)
    except bm.MaskError as err:
        raise WorkflowError(str(err)) from None


def nothing_but_registered(wildcards):
    """Return no input files; has a fetched file regenerated that is not the registered mask.

    Ends the run with a message if the mask is not registered. It may have been a picture of an
    image that was asked for: then that is said, too.

    Asked by `download`, whose output no host workflow makes, and not by `validate`: Snakemake
    would report it for every file below masks/ for which a host workflow has a rule of its own.
    """
    try:
        mask = REGISTRY.serve(wildcards.mask)
    except bm.MaskError as err:
        near = bm.closest(wildcards.mask, list(IMAGES))
        hint = f" Or did you mean the image {' or '.join(near)}?" if near else ""
        raise WorkflowError(f"{err}{hint}") from None
    paths = outputs("download", wildcards)
    regenerate(bm.fetched_damage(mask.as_row(), *paths), paths)
    return []


def row(wildcards):
    """Return what is recorded of a mask: a job runs again if any of it changes."""
    return serve(wildcards).as_row()


def ways(wildcards):
    """Return how a mask may be had: no reason to fetch it again if that changes.

    Snakemake does not record parameters of this type.
    """
    return SimpleNamespace(**how(serve(wildcards)))


def how(mask):
    """Return how a mask may be had, in plain values that a script can read."""
    return {
        # With the credentials that a row's recorded URL lacks.
        "url": mask.url,
        "settings": {
            "cache_dir": str(bm.cache_folder(SETTINGS["cache_dir"])),
            "site_caches": [str(bm.user_path(path)) for path in SETTINGS["site_caches"]],
            "mirrors": [mirror.location for mirror in MIRRORS.get(mask.name, ())],
            "offline": bm.is_offline(SETTINGS["offline"]),
            "registered": REGISTERED,
        },
    }


def stock(names):
    """Return a function of the wildcards: row and ways of each mask, whatever it is served as."""

    def entries(wildcards):
        masks = {mask.name: mask for mask in map(REGISTRY.serve, names)}
        return [{"row": mask.as_row(), **how(mask)} for mask in masks.values()]

    return entries


def outputs(rule, wildcards):
    """Return the output paths of a rule, with a prefix if there is one."""
    return [str(path).format(mask=wildcards.mask) for path in getattr(rules, rule).output]


def configured_images(wildcards):
    """Return the images to check; ends the run with a message if none are configured."""
    if not SETTINGS["images"]:
        raise WorkflowError(
            "config key 'images' is not set; expected: the path of a table with the columns "
            "image and mask"
        )
    return [local(entry["image"]) for entry in IMAGES.values()]


def unlisted(name):
    """Return a clause on an id that no image has, with those that may have been meant."""
    if not SETTINGS["images"]:
        return f"no image has the id '{name}': config key 'images' is not set"
    near = bm.closest(name, list(IMAGES)) or list(IMAGES)[:2]
    hint = f"did you mean {' or '.join(near)}?" if near else "the table lists none"
    return f"no image of config key 'images' has the id '{name}'; {hint}"


def image(wildcards):
    """Return the path of an image. It is the host's own: a prefix of this module is not its.

    For an id that no image has, the message takes the place of the path, and Snakemake ends the
    run with it as a missing input. If an input function raised an error instead, Snakemake would
    report it, or take this rule for one that can be used, for every file below checks/ and
    aligned/ for which a host workflow has a rule of its own.
    """
    if wildcards.id not in IMAGES:
        # No longer than the name of a file may be, in bytes.
        return local(unlisted(wildcards.id).encode()[:250].decode(errors="ignore"))
    return local(IMAGES[wildcards.id]["image"])


def mask_of_image(wildcards):
    """Return the published mask that an image is checked against."""
    if wildcards.id not in IMAGES:
        return []
    return f"masks/{IMAGES[wildcards.id]['mask']}.nii.gz"


def row_of_image(wildcards):
    """Return what is recorded of the mask that an image is checked against."""
    return REGISTRY.serve(IMAGES[wildcards.id]["mask"]).as_row()


def masks_of_images():
    """Return the names of the masks that images are checked against."""
    return sorted({entry["mask"] for entry in IMAGES.values()})


def memory(wildcards, threads):
    """Return the MB that many images need, in a process for each thread.

    Measured with images of 1 mm: 160 MB for each process that checks, 240 MB for one that draws.
    """
    return 1000 + 300 * threads


def digest(content):
    """Return a short text that is another one if the content is."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def every_row(wildcards):
    """Return the rows of all masks: no reason to check an image again if one is added."""
    return SimpleNamespace(rows=[REGISTRY.get(name).as_row() for name in REGISTRY])
