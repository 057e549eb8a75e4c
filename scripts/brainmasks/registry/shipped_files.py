# SPDX-License-Identifier: MIT
"""Where the tables and schemas are that come with the package."""

import sys
from functools import cache
from pathlib import Path

from ..errors import RegistryError

# The masks that lacuna has, too, and those beyond.
LACUNAS_TABLE = "config/masks.tsv"
MASKS_TABLES = (LACUNAS_TABLE, "workflow/tables/more_masks.tsv", "workflow/tables/templateflow.tsv")
ALIASES_TABLE = "workflow/tables/aliases.tsv"
MIRRORS_TABLE = "workflow/tables/mirrors.tsv"
GRIDS_TABLE = "workflow/tables/grids.tsv"
LOOKALIKES_TABLE = "workflow/tables/lookalikes.tsv"
BACKGROUNDS_TABLE = "workflow/tables/backgrounds.tsv"
OTHER_NAMES_TABLE = "workflow/tables/other_names.tsv"
REFERENCES_TABLE = "workflow/tables/references.tsv"
# The SHA-256 of every table, as the tests have checked it.
TABLE_SUMS = "workflow/tables/SHA256SUMS"
SETTINGS_FILE = "config/config.yaml"
REGISTRY_SCHEMA = "workflow/schemas/registry.schema.json"
ALIASES_SCHEMA = "workflow/schemas/aliases.schema.json"
MIRRORS_SCHEMA = "workflow/schemas/mirrors.schema.json"
GRIDS_SCHEMA = "workflow/schemas/grids.schema.json"
LOOKALIKES_SCHEMA = "workflow/schemas/lookalikes.schema.json"
BACKGROUNDS_SCHEMA = "workflow/schemas/backgrounds.schema.json"
OTHER_NAMES_SCHEMA = "workflow/schemas/other_names.schema.json"
REFERENCES_SCHEMA = "workflow/schemas/references.schema.json"
CONFIG_SCHEMA = "workflow/schemas/config.schema.json"


def shipped(name: str) -> Path:
    """Return the path of a table or schema that comes with the package.

    The rules do not ask: they name their files themselves, and so have Snakemake copy all of them,
    in the same folders, to where jobs find the package.

    Parameters
    ----------
    name
        Path in the repository, for example ``config/masks.tsv``.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    package = Path(sys.modules[__package__.rpartition(".")[0]].__path__[0])
    # An installed package carries the tables inside; a checkout has them at its top.
    for candidate in (package / "shipped" / name, package / ".." / ".." / name):
        if candidate.is_file():
            return candidate.resolve()
    raise RegistryError(
        f"{name} does not come with this copy of the package in {package}; "
        "install it from a checkout with `pip install .`"
    )


@cache
def validated_tables() -> frozenset[str]:
    """Return the SHA-256 of each shipped table, which the tests have checked.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    lines = shipped(TABLE_SUMS).read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines)
