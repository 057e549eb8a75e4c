# SPDX-License-Identifier: MIT

# Files whose content is not what it must be: removed while jobs are planned, and regenerated.
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger


def regenerate(damage, files):
    """Have files regenerated whose content is not what it must be, whatever their times say.

    Called while Snakemake plans its jobs. The files are removed, so that nothing wrong is left
    however the run ends, and Snakemake makes them, because they are missing, under any
    `--rerun-triggers`. Where only files that are there depend on them, it would not: then the job is
    forced, as by `--forcerun`. What plans without running (a dry run, a report, a summary, ...)
    removes nothing, and forces the job, too.

    Parameters
    ----------
    damage
        What is wrong; None if nothing is.
    files
        All outputs of the job.
    """
    if not damage:
        return
    if workflow.touch:
        raise WorkflowError(f"{damage}; `--touch` does not regenerate it: run without")
    if not workflow.is_main_process:
        workflow.dag.forcefiles.update(files)
        return  # the process of a job: the run that it belongs to has removed the file
    # A plan that nothing executes has no executor. Where another run holds the files, Snakemake ends
    # this one with its message on locks.
    if workflow.executor_plugin is None or workflow.dryrun or held_by_another_run(files):
        workflow.dag.forcefiles.update(files)
        logger.warning(f"{damage}; a run removes it, to have it regenerated.")
        return
    for file in files:
        try:
            remove(file)
        except OSError as err:
            raise WorkflowError(
                f"{damage}; it cannot be removed ({err.strerror}): remove it"
            ) from None
    if not are_asked_for(files):
        workflow.dag.forcefiles.update(files)
    logger.warning(f"{damage}; it is removed, to be regenerated.")


def are_asked_for(files):
    """Return whether a run is asked for one of some files itself, and not for what is made from it.

    It is if the file is a target, or an input of one that has no output, such as a rule `all`.
    """
    asked = set(workflow.dag.targetfiles)
    for target in workflow.dag.targetrules:
        if not target.output:
            asked.update(each for each in target.input if isinstance(each, str))
            if masks_of_configuration in target.input:
                asked.update(*map(published, SETTINGS["masks"]))
    return not asked.isdisjoint(files)


def published(name):
    """Return the published files of a mask, on whatever grid."""
    if gridded := bm.registry.split_gridded(name):
        return outputs("put_on_grid", **gridded._asdict()).values()
    return outputs("validate", mask=name).values()


def held_by_another_run(files):
    """Return whether another run of this folder has locked one of the files."""
    if not workflow.execution_settings.lock:
        return False
    locked = set()
    for lock in Path(".snakemake", "locks").glob("*.lock"):
        # One that goes away meanwhile holds nothing.
        with contextlib.suppress(OSError):
            locked |= set(lock.read_text().splitlines())
    return not locked.isdisjoint(files)


def made_by_host(file, rule):
    """Return whether a rule of the host workflow, and not this one of ours, has made a file."""
    ours = OWN_RULES[rule].rule
    maker = workflow.persistence.rule(file)
    return maker != ours.name and maker in {rule.name for rule in workflow.rules}
