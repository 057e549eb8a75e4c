# SPDX-License-Identifier: MIT

# One row of the registry becomes masks/{mask}.nii.gz: download, checksum, validate.
#
# {mask} takes whatever is like the name of a mask, so that a misspelt one reaches the message of
# `download`. The rules are local: they take milliseconds and need the network, which a compute node
# may not have. Where not even these may run on a submitting node, the three of a mask are one job
# of the cluster.


rule download:
    """Bring the bytes of a mask into the working folder, from the first source that has them."""
    input:
        nothing_but_registered,
    output:
        mask="<resources>/masks/{mask}.nii.gz",
        origin="<resources>/masks/{mask}.origin.json",
    log:
        "<logs>/masks/{mask}.download.log",
    wildcard_constraints:
        mask=LIKE_A_MASK,
    group:
        MASK_GROUP
    localrule: not SETTINGS["submit_masks"]
    conda:
        "../../envs/masks.yaml"
    params:
        row=row,
        sources=sources,
    script:
        script_file("download")


rule checksum:
    """Verify the file in the working folder and write its SHA-256 for `sha256sum -c`."""
    input:
        mask="<resources>/masks/{mask}.nii.gz",
        origin="<resources>/masks/{mask}.origin.json",
    output:
        checksum="<resources>/masks/{mask}.nii.gz.sha256",
    log:
        "<logs>/masks/{mask}.checksum.log",
    wildcard_constraints:
        mask=LIKE_A_MASK,
    # What is found of a file is the same at the next attempt.
    retries: 0
    group:
        MASK_GROUP
    localrule: not SETTINGS["submit_masks"]
    conda:
        "../../envs/masks.yaml"
    params:
        row=row,
    script:
        script_file("checksum")


rule validate:
    """Publish a mask and its sidecar if the mask passes every check."""
    input:
        nothing_but_published,
        mask="<resources>/masks/{mask}.nii.gz",
        origin="<resources>/masks/{mask}.origin.json",
        checksum="<resources>/masks/{mask}.nii.gz.sha256",
    output:
        mask="<masks>/{mask}.nii.gz",
        sidecar="<masks>/{mask}.json",
    log:
        "<logs>/masks/{mask}.validate.log",
    wildcard_constraints:
        # On another grid: put_on_grid.
        mask=MASK_ALONE,
    # What is found of a file is the same at the next attempt.
    retries: 0
    group:
        MASK_GROUP
    localrule: not SETTINGS["submit_masks"]
    conda:
        "../../envs/masks.yaml"
    params:
        row=row,
        quiet=quiet,
        code=code("validate", "masks"),
    script:
        script_file("validate")


rule misnamed_mask:
    """Answer a request for a mask under the name of a file that this workflow never makes."""
    input:
        right_name_of_mask,
    output:
        "{misnamed}",
    log:
        "<logs>/{misnamed}.log",
    wildcard_constraints:
        misnamed=rf"(?:mask/{LIKE_A_MASK}\.nii(?:\.gz)?|{re.escape(MASKS)}/{LIKE_A_MASK}\.nii)",
    localrule: True
    conda:
        "../../envs/masks.yaml"
    shell:
        # Never run: its input is a message.
        "exit 1 2> {log}"


rule prefetch:
    """Fill the cache with the masks of the configuration; `masks/` is not touched."""
    log:
        "<logs>/masks/prefetch.log",
    localrule: True
    conda:
        "../../envs/masks.yaml"
    params:
        masks=rows_and_sources(SETTINGS["masks"]),
        quiet=quiet,
    script:
        script_file("prefetch")


rule status:
    """Print what is cached: each registered mask, where it was found, what is missing."""
    log:
        "<logs>/masks/status.log",
    localrule: True
    conda:
        "../../envs/masks.yaml"
    params:
        masks=rows_and_sources(REGISTRY),
        asked=masks_of_user(),
    script:
        script_file("status")


refuse_output_cache("download", "checksum", "validate")
