# SPDX-License-Identifier: MIT

# The configuration: settings, registry, mirrors, grids and images, read and checked once.
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

SCHEMAS = {
    name: OWN_FILES[f"workflow/schemas/{name}.schema.json"]
    for name in ("aliases", "config", "registry", "mirrors", "grids", "images")
}


def read_tables():
    """Return settings and all tables; a wrong one ends the run with one message."""
    try:
        # `config` itself is not changed: it may be the host workflow's own.
        settings = bm.registry.read_settings(
            OWN_FILES["config/config.yaml"], SCHEMAS["config"], config
        )
        settings["offline"] = bm.registry.is_offline(settings["offline"])
        if settings["aliases"] is None:
            settings["aliases"] = bm.registry.read_aliases(
                OWN_FILES["workflow/tables/aliases.tsv"], SCHEMAS["aliases"]
            )
        own = [settings["registry"]] if settings["registry"] else []
        # The default names the shipped table, which is read anyway; that of a user's configuration, such
        # as the one that snakedeploy has copied, a table in the working folder.
        extra = settings["extra_registries"] if "extra_registries" in config else []
        tables = own or [OWN_FILES[name] for name in bm.registry.MASKS_TABLES]
        registry = bm.registry.read_masks(
            [bm.registry.user_path(path) for path in tables + extra],
            SCHEMAS["registry"],
            settings["aliases"],
            yielding=[OWN_FILES[name] for name in bm.registry.MASKS_TABLES[1:]],
        )
        if workflow.is_main_process:
            for name, where in registry.own.items():
                logger.warning(f"{name}: {where} takes the place of the shipped row")
        mirrors = {}
        if settings["mirrors"] is not False:
            mirrors = bm.registry.read_mirrors(
                bm.registry.user_path(
                    settings["mirrors"] or OWN_FILES["workflow/tables/mirrors.tsv"]
                ),
                SCHEMAS["mirrors"],
            )
        images = {}
        if settings["images"]:
            images = bm.images.read_images(settings["images"], SCHEMAS["images"], registry)
        grids = bm.registry.with_extra_grids(
            bm.registry.read_grids(OWN_FILES["workflow/tables/grids.tsv"], SCHEMAS["grids"]),
            settings["extra_grids"],
            SCHEMAS["grids"],
        )
        backgrounds = bm.images.backgrounds_of(settings["background"], registry)
        for mask in settings["masks"]:
            try:
                if gridded := bm.registry.split_gridded(mask):
                    bm.registry.grid_for(gridded, registry, grids, images)
                else:
                    registry.serve(mask)
            except bm.UnknownMaskError as err:
                raise WorkflowError(f"config key 'masks': {err}") from None
    except bm.MaskError as err:
        raise WorkflowError(str(err)) from None
    return settings, registry, mirrors, images, grids, backgrounds


SETTINGS, REGISTRY, MIRRORS, IMAGES, GRIDS, BACKGROUNDS = read_tables()
