# SPDX-License-Identifier: MIT
"""`check`: are images on the grid of a mask, and can their voxels be right?"""

import click

from ..errors import RegistryError
from ..images import Policy, compare_to_mask
from ..registry import shipped_settings
from .options import EPILOG, Options, common, complete_masks
from .output import Printed, as_json, shown


@click.command(epilog=EPILOG)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--mask",
    required=True,
    metavar="NAME|FILE",
    shell_complete=complete_masks,
    help="A registered mask, or the file of a mask.",
)
@click.option(
    "--accept", multiple=True, help="A verdict to accept; repeatable, replaces the default list."
)
@click.option(
    "--refuse", multiple=True, help="A finding to refuse; repeatable, replaces the default list."
)
@common
def check(
    images: tuple[str, ...],
    mask: str,
    accept: tuple[str, ...],
    refuse: tuple[str, ...],
    options: Options,
) -> Printed:
    """Check images against a mask.

    Prints verdict and findings of each, and what to do.

    The exit status is 1 if one is refused, by the defaults of the workflow's keys `accept`,
    `refuse` and `min_inside`.

    \b
    Examples:
      brainmasks check lesion.nii.gz --mask MNI152NLin6Asym_2mm
      brainmasks check lesions/*.nii.gz --mask MNI152NLin6Asym_1mm --json
      brainmasks check lesion.nii.gz --mask my_mask.nii.gz --accept identical --accept reoriented
    """
    given = {"accept": list(accept), "refuse": list(refuse)}
    try:
        settings = shipped_settings({key: value for key, value in given.items() if value})
    except RegistryError as err:
        # A mistake in the command, and not in a file.
        raise click.UsageError(
            str(err).replace("config key '", "--").replace("' lists", " has")
        ) from err
    policy = Policy(settings["accept"], settings["refuse"])
    registry = options.registry()
    found = {
        image: compare_to_mask(
            image,
            mask,
            registry=registry,
            min_inside=settings["min_inside"],
            cache_dir=options.cache_dir,
            offline=options.no_network,
        )
        for image in images
    }
    status = 0 if all(map(policy.accepts, found.values())) else 1
    if options.as_json:
        entries = [
            {"image": image, "mask": mask, "accepted": policy.accepts(each), **each.as_dict()}
            for image, each in found.items()
        ]
        return Printed(as_json(entries), status)
    lines = []
    for image, each in found.items():
        word = "accepted" if policy.accepts(each) else "refused"
        lines.append(f"{image}: {word}: {', '.join((each.verdict, *each.codes))}")
        lines.append(f"  {each.verdict}: {each.detail}")
        lines += [f"  {finding.code}: {finding.detail}" for finding in each.findings]
    return Printed("".join(f"{shown(line)}\n" for line in lines), status)
