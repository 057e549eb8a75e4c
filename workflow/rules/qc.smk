# Pictures and a table of published masks, for the eye and for `snakemake --report`.
#
# One group, so that a profile can send them to a cluster as one job (`group-components`).


rule draw_mask:
    """Draw a published mask: slices along three planes, at coordinates in mm."""
    input:
        mask="masks/{mask}.nii.gz",
        sidecar="masks/{mask}.json",
    output:
        report(
            "qc/{mask}.png",
            caption="../report/mask.rst",
            category="Brain masks",
            subcategory="Pictures",
            labels={"mask": "{mask}"},
        ),
    log:
        "logs/qc/{mask}.draw_mask.log",
    wildcard_constraints:
        mask="[^/]+",
    group: "brain_mask_pictures"
    conda:
        "../../envs/qc.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        drawing=bm.DRAWING_VERSION,
    script:
        script_file("draw_mask")


rule tabulate_masks:
    """Write a table of the masks of the configuration: grids, hashes, licences, what to cite."""
    input:
        sidecars=expand("masks/{mask}.json", mask=SETTINGS["masks"]),
    output:
        report(
            "qc/masks.html",
            caption="../report/masks.rst",
            category="Brain masks",
            subcategory="Table",
            labels={"mask": "all of the configuration"},
        ),
    log:
        "logs/qc/tabulate_masks.log",
    group: "brain_mask_pictures"
    conda:
        "../../envs/masks.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        table=bm.TABLE_VERSION,
    script:
        script_file("tabulate_masks")


rule qc:
    """Draw and tabulate the masks of the configuration."""
    input:
        expand("qc/{mask}.png", mask=SETTINGS["masks"]),
        "qc/masks.html",
    localrule: True
