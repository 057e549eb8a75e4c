# SPDX-License-Identifier: MIT

# Files that Snakemake keeps in a storage, such as a bucket (`--default-storage-provider`): looked at and
# removed while jobs are planned. Then no copies of them are here, or old ones.
import copy
import tempfile

from snakemake.exceptions import WorkflowError


def damage_of(files, look):
    """Return what is found wrong with files, those in a storage read there; None if nothing is.

    Parameters
    ----------
    files
        Output files of rules.
    look
        A function of their paths, in this order, that returns what is wrong.
    """
    # The process of a job has the copies that it needs, and its run has looked before.
    if not (workflow.is_main_process and any(file.is_storage for file in files)):
        return look(*files)
    with tempfile.TemporaryDirectory() as folder:
        paths = [retrieved(file, Path(folder)) if file.is_storage else file for file in files]
        damage = look(*paths)
        for file, path in zip(files, paths):
            if damage and file.is_storage:
                damage = damage.replace(path, file.storage_object.print_query)
    return damage


def retrieved(file, folder):
    """Return the path of a copy of a stored file, which is not there if the file is not.

    Not where Snakemake has its own copies: a job may be using one.
    """
    stored = copy.copy(file.storage_object)
    path = folder / stored.local_suffix()
    stored.set_local_path(path)
    with named_failure(stored, "looked at"):
        if stored.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            stored.retrieve_object()
            if not path.exists():
                raise WorkflowError("nothing was retrieved")
    return str(path)


def remove(file):
    """Remove an output file, from its storage if it is in one; raises an OSError if it cannot."""
    if file.is_storage:
        with named_failure(file.storage_object, "removed"):
            if file.storage_object.exists():
                file.storage_object.remove()
    Path(file).unlink(missing_ok=True)
    # It may have been seen when Snakemake looked for another file of the folder.
    seen = workflow.iocache
    # Older versions of Snakemake keep no checksums.
    checksums = getattr(seen, "checksum", None) or {}
    for known in (seen.exists_local, seen.exists_in_storage, seen.mtime, seen.size, checksums):
        known.pop(file, None)


@contextlib.contextmanager
def named_failure(stored, what):
    """End the run with one line if a storage fails."""
    try:
        yield
    except Exception as err:  # each plugin has exceptions of its own
        reason = " ".join(str(err).split())
        raise WorkflowError(
            f"{stored.print_query} cannot be {what} in its storage: {reason}"
        ) from None
