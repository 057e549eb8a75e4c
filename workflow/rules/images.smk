# SPDX-License-Identifier: MIT

# Images that meet a mask: are they on its grid, and not flipped? And how to get them there.
#
# {id} takes any name, so that a misspelt one gets the message of `image` in image_functions.smk.


rule check_images:
    """Check all images of the configuration against their masks, as one job; accept or reject none."""
    input:
        images=configured_images,
        masks=[f"<masks>/{name}.nii.gz" for name in masks_of_images()],
        sidecars=[f"<masks>/{name}.json" for name in masks_of_images()],
    output:
        "<checks>/images.found.json",
    log:
        "<logs>/checks/images.log",
    # What is found of an image is the same at the next attempt.
    retries: 0
    conda:
        "../../envs/masks.yaml"
    threads: 8
    resources:
        mem_mb=memory,
        runtime=60,
    params:
        images=lambda wildcards: IMAGES,
        rows=rows_of_images,
        registered=every_row,
        aliases=SETTINGS["aliases"],
        min_inside=SETTINGS["min_inside"],
        code=code("check_images", "images"),
    script:
        script_file("check_images")


rule accept_images:
    """Write the table of the checked images, or end the run if one of them is rejected."""
    input:
        # Not read: without them, one that is missing would go unnoticed once something was found.
        images=configured_images,
        found="<checks>/images.found.json",
        # Not read: a rejection ends the run, and is to be looked at there.
        page="<qc>/images.html",
    output:
        table="<checks>/images.tsv",
        details="<checks>/images.json",
    log:
        "<logs>/checks/images.accepted.log",
    retries: 0
    localrule: not SETTINGS["submit_masks"]
    conda:
        "../../envs/masks.yaml"
    params:
        accept=SETTINGS["accept"],
        refuse=SETTINGS["refuse"],
        onto_grid=onto_grid,
        code=code("accept_images", "images"),
    script:
        script_file("accept_images")


rule check_image:
    """Check one image against its mask, and end the run if it is rejected."""
    input:
        image=image,
        mask=mask_of_image,
        sidecar=sidecar_of_image,
    output:
        details="<checks>/{id}.json",
    log:
        "<logs>/checks/{id}.log",
    wildcard_constraints:
        # What is found of all images, and their details, are those of the rules above.
        id=rf"(?!(?:{'|'.join(map(re.escape, bm.images.RESERVED))})\.json$)[^/]+",
    retries: 0
    group:
        "brain_mask_images"
    conda:
        "../../envs/masks.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        entry=lambda wildcards: IMAGES[wildcards.id],
        row=row_of_image,
        registered=every_row,
        aliases=SETTINGS["aliases"],
        accept=SETTINGS["accept"],
        refuse=SETTINGS["refuse"],
        onto_grid=onto_grid,
        min_inside=SETTINGS["min_inside"],
        code=code("check_image", "images"),
    script:
        script_file("check_image")


rule align_image:
    """Write one image on its mask's grid, and a note of how."""
    input:
        image=image,
        mask=mask_of_image,
        sidecar=sidecar_of_image,
    output:
        image="<aligned>/{id}.nii.gz",
        sidecar="<aligned>/{id}.json",
    log:
        "<logs>/aligned/{id}.log",
    wildcard_constraints:
        id="[^/]+",
    retries: 0
    group:
        "brain_mask_images"
    conda:
        "../../envs/masks.yaml"
    resources:
        mem_mb=memory_to_align,
        runtime=5,
    params:
        row=row_of_image,
        registered=every_row,
        resample=SETTINGS["resample"],
        code=code("align_image", "images"),
    script:
        script_file("align_image")
