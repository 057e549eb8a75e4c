# SPDX-License-Identifier: MIT
"""Gather the rows of all lesions into one table."""

import logging

import pandas as pd


def gather(paths) -> pd.DataFrame:
    """Return the rows of several tables, in the order of the paths.

    Parameters
    ----------
    paths
        Tab-separated tables with the same columns.
    """
    # As text, so that a lesion called 001 or NA keeps its name, and every number its digits.
    tables = [pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False) for path in paths]
    return pd.concat(tables, ignore_index=True)


def main(job) -> None:
    """Run the job that Snakemake describes."""
    logging.basicConfig(level=logging.INFO, filename=job.log[0], filemode="w")
    table = gather(job.input.rows)
    table.to_csv(job.output.table, sep="\t", index=False)
    logging.info("%d lesions", len(table))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
