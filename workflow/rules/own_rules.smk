# SPDX-License-Identifier: MIT

# The rules of this workflow, as a host workflow has overwritten them: where files are may change, but
# not what they are called in a rule.
import re

from snakemake.exceptions import WorkflowError

# By the names of their scripts. Looked up now, and not when they are asked for: `rules` is one for all
# uses of a module, and names the rule that was last made from one of these.
OWN_RULES = {
    name: getattr(rules, name)
    for name in re.findall(r"^scripts/(\w+)\.py$", "\n".join(OWN_FILES), re.MULTILINE)
    if rules.has(name)
}


def require_names(own, name):
    """End the run with one line if one of our rules lacks what script `name` asks for."""
    text = Path(OWN_FILES[f"scripts/{name}.py"]).read_text(encoding="utf-8")
    for files in ("input", "output"):
        needed = re.findall(rf"\bjob\.{files}\.(\w+)", text)
        if not set(needed) <= set(getattr(own, files).keys()):
            names = ", ".join(f'{each}="..."' for each in needed)
            raise WorkflowError(
                f"{own.rule.name}: what overwrites its {files} has to name the files that its script "
                f"asks for, `{files}: {names}`"
            )
    for wildcard in re.findall(r"\bjob\.wildcards\.(\w+)", text):
        if wildcard not in own.rule.wildcard_names:
            raise WorkflowError(
                f"{own.rule.name}: what overwrites its output has to keep the wildcard "
                f"{{{wildcard}}}, which says what is asked for"
            )
    for called in {"mask", "image"} & set(own.output.keys()):
        if not own.output[called].endswith(".nii.gz"):
            raise WorkflowError(
                f"{own.rule.name}: what overwrites its output has to end in .nii.gz: the file is "
                f"gzipped, and '{own.output[called]}' could not be read"
            )
    if not own.log:
        raise WorkflowError(f"{own.rule.name}: what overwrites its log has to name a file")


for each in OWN_RULES:
    require_names(OWN_RULES[each], each)
# Made from another rule, it is not there for a host that takes in some rules only.
if rules.has("accept_shown_images"):
    require_names(rules.accept_shown_images, "accept_images")
