# SPDX-License-Identifier: MIT

# A published mask on another grid of its space: a named one, or that of an image.


rule put_on_grid:
    """Publish a mask on another grid, and its sidecar, if it passes every check."""
    input:
        nothing_but_gridded,
        mask="<masks>/{mask}.nii.gz",
        sidecar="<masks>/{mask}.json",
        image=image_of_grid,
    output:
        mask="<masks>/{mask}_grid-{grid}.nii.gz",
        sidecar="<masks>/{mask}_grid-{grid}.json",
    log:
        "<logs>/masks/{mask}_grid-{grid}.log",
    wildcard_constraints:
        mask=MASK_ALONE,
        grid="[^/]+",
    # What a mask is on a grid is the same at the next attempt.
    retries: 0
    group:
        MASK_GROUP
    localrule: not SETTINGS["submit_masks"]
    conda:
        "../../envs/masks.yaml"
    resources:
        mem_mb=memory_on_grid,
        runtime=5,
    params:
        row=row,
        grid=known_grid,
        quiet=quiet,
        code=code("put_on_grid", "images"),
    script:
        script_file("put_on_grid")


refuse_output_cache("put_on_grid")
