# SPDX-License-Identifier: MIT
"""`check`: are images on the grid of a mask, and can their voxels be right?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ..errors import RegistryError
from ..images import Comparison, Policy, can_be_aligned, compare_to_mask, named, wider
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
    rejected = {image: each for image, each in found.items() if not policy.accepts(each)}
    if remedies := _remedies(rejected, policy, is_registered=not Path(mask).is_file()):
        lines += ["To fix:", *(f"- {remedy}" for remedy in remedies)]
    return Printed("".join(f"{shown(line)}\n" for line in lines), status)


def _remedies(rejected: Mapping[str, Comparison], policy: Policy, is_registered: bool) -> list[str]:
    """Return what helps with refused images, said once for all of them."""
    lines = []
    aligned = [image for image, each in rejected.items() if can_be_aligned(each, policy)]
    if aligned and is_registered:
        lines.append(
            "use aligned/{id}.nii.gz of the workflow, on the grid of the mask, for "
            f"{named(aligned)}"
        )
    return lines + wider(
        rejected,
        policy,
        accept=lambda verdicts: f"repeat with {_options('--accept', verdicts)}",
        refuse=lambda codes: f"repeat with {_options('--refuse', codes) or 'another --refuse'}",
    )


def _options(name: str, values: Sequence[str]) -> str:
    return " ".join(f"{name} {value}" for value in values)
