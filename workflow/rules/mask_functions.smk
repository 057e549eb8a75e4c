# What the rules of masks ask: which mask, from which sources, is what stands right?
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

REGISTERED = REGISTRY.by_hash()
# Jobs of one group that depend on each other are one job of a cluster; locally it means nothing.
MASK_GROUP = "brain_mask" if SETTINGS["submit_masks"] else None


def serve(wildcards):
    """Return the registry's entry for the mask that is asked for."""
    try:
        return REGISTRY.serve(wildcards.mask)
    except bm.MaskError as err:
        raise WorkflowError(str(err)) from None


def row(wildcards):
    """Return what is recorded of a mask: a job runs again if any of it changes."""
    return serve(wildcards).as_row()


def rows_of_masks(wildcards):
    """Return what is recorded of the masks of the configuration, in their order."""
    return [REGISTRY.serve(name).as_row() for name in SETTINGS["masks"]]


def sources(wildcards, output):
    """Return from where a mask may come: no reason to fetch it again if that changes.

    It takes `output`, so that Snakemake counts the parameter as derived and does not record it.
    """
    return sources_of(serve(wildcards))


def sources_of(mask):
    """Return from where a mask may come, in plain values that a script can read."""
    return {
        # With the credentials that a row's recorded URL lacks.
        "url": mask.url,
        "cache_dir": str(bm.registry.cache_folder(SETTINGS["cache_dir"])),
        "site_caches": [str(bm.registry.user_path(path)) for path in SETTINGS["site_caches"]],
        "mirrors": [mirror.location for mirror in MIRRORS.get(mask.name, ())],
        "offline": bm.registry.is_offline(SETTINGS["offline"]),
        "registered": REGISTERED,
    }


def rows_and_sources(names):
    """Return a function of the wildcards: row and sources of each mask, whatever it is served as."""

    def entries(wildcards):
        masks = {mask.name: mask for mask in map(REGISTRY.serve, names)}
        return [{"row": mask.as_row(), **sources_of(mask)} for mask in masks.values()]

    return entries


def outputs(rule, wildcards):
    """Return the output paths of a rule, with a prefix if there is one."""
    return [str(path).format(mask=wildcards.mask) for path in getattr(rules, rule).output]


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
    regenerate(bm.masks.published_damage(mask, *paths), paths)
    return []


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
        near = bm.registry.closest(wildcards.mask, list(IMAGES))
        hint = f" Or did you mean the image {' or '.join(near)}?" if near else ""
        raise WorkflowError(f"{err}{hint}") from None
    paths = outputs("download", wildcards)
    regenerate(bm.masks.fetched_damage(mask, *paths), paths)
    return []


def refuse_output_cache(*names):
    """End the run if rules are named to Snakemake's `--cache`: it verifies nothing that it holds."""
    for name in (getattr(rules, each).rule.name for each in names):
        if name in (workflow.workflow_settings.cache or ()):
            raise WorkflowError(
                f"Rule {name} cannot be cached by Snakemake's --cache, which does not verify what it "
                "takes from there: leave the rule out of --cache. Masks have a cache of their own"
            )
