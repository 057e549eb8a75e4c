# SPDX-License-Identifier: MIT

# Pictures and tables of published masks, and of the images that meet them, for the eye and for
# `snakemake --report`.
#
# One group of those of the masks, so that a profile can send them to a cluster as one job
# (`group-components`). Images, of which there may be hundreds, are a job of their own.


rule draw_mask:
    """Draw a published mask: slices along three planes, at coordinates in mm."""
    input:
        nothing_but_ours,
        mask="<masks>/{mask}.nii.gz",
        sidecar="<masks>/{mask}.json",
    output:
        report(
            "<qc>/{mask}.png",
            caption="../report/mask.rst",
            category="Brain masks",
            subcategory="Pictures",
            labels={"mask": "{mask}"},
        ),
    log:
        "<logs>/qc/{mask}.draw_mask.log",
    wildcard_constraints:
        # Pictures of images have the same folder. No image has the name of a mask.
        mask=rf"(?!(?:{IDS})\.png$){LIKE_A_MASK}",
    group:
        "brain_mask_pictures"
    conda:
        "../../envs/qc.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        row=row,
        code=code("draw_mask", "qc"),
    script:
        script_file("draw_mask")


rule tabulate_masks:
    """Write a table of the masks of the configuration: grids, hashes, licences, what to cite."""
    input:
        sidecars=expand("<masks>/{mask}.json", mask=SETTINGS["masks"]),
    output:
        report(
            "<qc>/masks.html",
            caption="../report/masks.rst",
            category="Brain masks",
            subcategory="Table",
            labels={"mask": "all of the configuration"},
        ),
    log:
        "<logs>/qc/tabulate_masks.log",
    group:
        "brain_mask_pictures"
    conda:
        "../../envs/masks.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        rows=rows_of_masks,
        code=code("tabulate_masks", "qc"),
    script:
        script_file("tabulate_masks")


# A rule without outputs would be a target that does nothing.
if IMAGES:

    rule draw_images:
        """Draw all images of the configuration over their masks, accepted or not, as one job."""
        input:
            images=configured_images,
            masks=[f"<masks>/{name}.nii.gz" for name in masks_of_images()],
            sidecars=[f"<masks>/{name}.json" for name in masks_of_images()],
            found="<checks>/images.found.json",
            backgrounds=backgrounds_of_images,
        output:
            [
                report(
                    f"<qc>/{name}.png",
                    caption="../report/image.rst",
                    category="Brain masks",
                    subcategory="Images",
                    labels={"image": name, "mask": entry["mask"]},
                )
                for name, entry in IMAGES.items()
            ],
        log:
            "<logs>/qc/draw_images.log",
        # Before an image is rejected, which ends the run: then they are needed most.
        priority: 2
        conda:
            "../../envs/qc.yaml"
        threads: 8
        resources:
            mem_mb=memory,
            runtime=60,
        params:
            # Not the images themselves: a report repeats the parameters for every picture.
            batch=digest(IMAGES),
            rows=rows_of_images,
            backgrounds=digests_of_backgrounds,
            installed=SETTINGS["background"] == "installed",
            accept=SETTINGS["accept"],
            refuse=SETTINGS["refuse"],
            code=code("draw_images", "qc"),
        script:
            script_file("draw_images")

    rule misnamed_picture:
        """Answer a request for a picture of an image that is not listed."""
        input:
            image,
        output:
            "<qc>/{id}.png",
        log:
            "<logs>/qc/{id}.log",
        wildcard_constraints:
            id=rf"(?!(?:{IDS}|{LIKE_A_MASK})\.png$)[^/]+",
        localrule: True
        conda:
            "../../envs/masks.yaml"
        shell:
            # Never run: its input is a message.
            "exit 1 2> {log}"


rule view_image:
    """Write a page in which one moves through one image over its mask, accepted or not."""
    input:
        image=image,
        mask=mask_of_image,
        sidecar=sidecar_of_image,
        found=found_of_image,
        backgrounds=background_of_image,
    output:
        # Not for a report: browsers show no page of more than 2 MB in one.
        "<qc>/{id}.html",
    log:
        "<logs>/qc/{id}.view_image.log",
    wildcard_constraints:
        # The pages have the same folder.
        id=r"(?!(?:images|masks)\.html$)[^/]+",
    retries: 0
    group:
        "brain_mask_views"
    conda:
        "../../envs/view.yaml"
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        row=row_of_image,
        backgrounds=digests_of_background,
        installed=SETTINGS["background"] == "installed",
        accept=SETTINGS["accept"],
        refuse=SETTINGS["refuse"],
        code=code("view_image", "qc"),
    script:
        script_file("view_image")


rule tabulate_images:
    """Write a table of the images of the configuration, accepted or not: what was found of each."""
    input:
        # Not read, as in `accept_images`.
        images=configured_images,
        found="<checks>/images.found.json",
    output:
        report(
            "<qc>/images.html",
            caption="../report/images.rst",
            category="Brain masks",
            subcategory="Images",
            labels={"image": "(all: table of verdicts)", "mask": "(all)"},
        ),
    log:
        "<logs>/qc/tabulate_images.log",
    # Not of the group: that would wait for the check of the images.
    localrule: not SETTINGS["submit_masks"]
    conda:
        "../../envs/masks.yaml"
    params:
        accept=SETTINGS["accept"],
        refuse=SETTINGS["refuse"],
        interactive=SETTINGS["interactive"],
        code=code("tabulate_images", "qc"),
    script:
        script_file("tabulate_images")


PICTURES_AND_PAGES = [
    *expand("<qc>/{name}.png", name=[*SETTINGS["masks"], *IMAGES]),
    *expand("<qc>/{id}.html", id=IMAGES if SETTINGS["interactive"] else []),
    "<qc>/masks.html",
    *(["<qc>/images.html"] if IMAGES else []),
]


# The same, once there is everything to look at: a rejection ends the run. (The oldest Snakemake takes no
# docstring here.)
# Not without the rule that it is made from, which a host may exclude. (`rules` has those, too.)
if workflow.is_rule(workflow.modifier.modify_rulename("accept_images")):

    use rule accept_images as accept_shown_images with:
        input:
            images=configured_images,
            found="<checks>/images.found.json",
            page="<qc>/images.html",
            shown=PICTURES_AND_PAGES,
        output:
            table="<qc>/images.tsv",
            details="<qc>/images.json",
        log:
            "<logs>/qc/images.accepted.log",
        # Not taken over from the other rule.
        localrule: not SETTINGS["submit_masks"]


rule qc:
    """Draw and tabulate the masks and the images of the configuration; end if one is rejected."""
    input:
        PICTURES_AND_PAGES,
        ["<qc>/images.tsv"] if IMAGES else [],
    localrule: True
