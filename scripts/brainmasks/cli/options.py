# SPDX-License-Identifier: MIT
"""What every command may be told, before its name or after it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..errors import MaskError, UnknownMaskError
from ..registry import (
    BrainMaskMetadata,
    BrainMaskRegistry,
    cache_folder,
    read_registry,
    shipped_grids,
    shipped_tables,
    split_gridded,
    user_path,
)
from .output import say

Function = TypeVar("Function", bound=Callable[..., Any])

EPILOG = "Each option that stands here may stand before the command, too."


@dataclass(frozen=True)
class Options:
    """What a command was told, wherever it stood.

    Attributes
    ----------
    tables : tuple of str
        Tables that are read in addition to the shipped ones.
    cache_dir : str or None
        Folder of the cache; None for the usual one.
    offline : bool
        Whether to do without network; the environment may say so, too.
    as_json : bool
        Whether to print JSON.
    """

    tables: tuple[str, ...] = ()
    cache_dir: str | None = None
    offline: bool = False
    as_json: bool = False

    def or_else(self, earlier: "Options | None") -> "Options":
        """Return these options, and those that stood before the command."""
        if earlier is None:
            return self
        return Options(
            (*earlier.tables, *self.tables),
            self.cache_dir or earlier.cache_dir,
            self.offline or earlier.offline,
            self.as_json or earlier.as_json,
        )

    @property
    def no_network(self) -> bool | None:
        """As `load_brain_mask` takes it: None leaves it to the environment."""
        return self.offline or None

    def own_tables(self) -> list[Path]:
        """Return the tables that were named."""
        return [user_path(table) for table in self.tables]

    def registry(self) -> BrainMaskRegistry:
        """Return all masks that there are: shipped, and of the tables that were named."""
        return read_registry([*shipped_tables(), *self.own_tables()])

    def serve(self, registry: BrainMaskRegistry, name: str) -> BrainMaskMetadata:
        """Return the mask that is served for a name, and say so if that is another one."""
        if split_gridded(name):
            raise UnknownMaskError(
                f"{name}: masks on other grids are made by the workflow: `snakemake "
                f"masks/{name}.nii.gz`"
            )
        mask = registry.serve(name)
        if mask.name != name:
            say(f"note: {name} is served as {mask.name}")
        return mask

    def cache(self) -> Path:
        """Return the folder of the cache."""
        return cache_folder(self.cache_dir)


def common(function: Function) -> Function:
    """Give a command the options of all commands; it gets them as one `options`."""

    def merged(*args: Any, **values: Any) -> Any:
        context = click.get_current_context()
        given = Options(
            values.pop("tables"),
            values.pop("cache_dir"),
            values.pop("offline"),
            values.pop("as_json"),
        )
        return function(*args, options=given.or_else(context.obj), **values)

    merged.__name__, merged.__doc__ = function.__name__, function.__doc__
    # Options that stood above this one in the source.
    merged.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Any = merged
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs."),
        click.option("--offline", is_flag=True, help="Open no socket (or BRAINMASKS_OFFLINE=1)."),
        click.option(
            "--cache-dir",
            type=click.Path(),
            metavar="FOLDER",
            help="Folder of the cache, instead of the one shared with lacuna.",
        ),
        click.option(
            "--registry",
            "tables",
            multiple=True,
            type=click.Path(),
            metavar="FILE",
            help="A table of your own, read in addition to the shipped ones; repeatable.",
        ),
    ):
        decorated = option(decorated)
    result: Function = decorated
    return result


def _of_registry(
    context: click.Context, items: Callable[[BrainMaskRegistry], list[CompletionItem]]
) -> list[CompletionItem]:
    values = context.params.get("tables") or ()
    earlier = context.parent.params.get("tables") if context.parent else None
    try:
        return items(Options(tuple(earlier or ()) + tuple(values)).registry())
    except MaskError:
        # Whoever presses a key is not told what is wrong with a table.
        return []


def complete_masks(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of masks that begin with what was typed."""
    return _of_registry(
        context,
        lambda registry: [
            CompletionItem(name, help=registry.get(name).description)
            for name in registry
            if name.startswith(incomplete)
        ],
    )


def complete_values(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the values of an option that filters masks: spaces, descs, resolutions."""
    attribute = "resolution_text" if parameter.name == "resolution" else str(parameter.name)
    return _of_registry(
        context,
        lambda registry: [
            CompletionItem(value)
            for value in dict.fromkeys(getattr(mask, attribute) for mask in registry.list())
            if value.startswith(incomplete)
        ],
    )


def complete_grids(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of known grids that begin with what was typed."""
    return [
        CompletionItem(name, help=grid.used_by)
        for name, grid in shipped_grids().items()
        if name.startswith(incomplete)
    ]
