# SPDX-License-Identifier: MIT
"""`cite`: what to cite for masks, and under which licence they are."""

import click

from ..registry import bibtex, references_of, shipped_references
from .options import EPILOG, Options, common, complete_masks
from .output import Printed, as_json, shown


@click.command(epilog=EPILOG)
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_masks)
@click.option("--bibtex", "only_bibtex", is_flag=True, help="Print the BibTeX entries alone.")
@common
def cite(names: tuple[str, ...], only_bibtex: bool, options: Options) -> Printed:
    """Print what to cite, and the licences.

    As text and as BibTeX. What several masks share stands there once.

    \b
    Examples:
      brainmasks cite MNI152NLin6Asym_2mm
      brainmasks cite MNI152NLin6Asym_2mm NKI_1mm --bibtex > masks.bib
    """
    registry, known = options.registry(), shipped_references()
    masks = list(dict.fromkeys(options.serve(registry, name) for name in names))
    wanted = {mask.name: references_of(mask, known) for mask in masks}
    keyed = bibtex(each for references in wanted.values() for each in references)
    keys = {each: key for key, each in keyed.items()}
    entries = {key: each.entry(key) for key, each in keyed.items()}
    if options.as_json:
        return Printed(
            as_json(
                {
                    "masks": [
                        {
                            "name": mask.name,
                            "license": mask.license,
                            "notice": mask.notice or None,
                            "references": [keys[each] for each in wanted[mask.name]],
                        }
                        for mask in masks
                    ],
                    "references": [
                        {
                            "key": key,
                            "text": each.sentence,
                            "doi": each.doi or None,
                            "bibtex": entries[key],
                        }
                        for key, each in keyed.items()
                    ],
                }
            )
        )
    database = "".join(f"{shown(entry)}\n\n" for entry in entries.values())
    if only_bibtex:
        return Printed(database.removesuffix("\n"))
    numbers = {key: number for number, key in enumerate(keyed, start=1)}
    lines = []
    for mask in masks:
        cited = " ".join(f"[{numbers[keys[each]]}]" for each in wanted[mask.name])
        lines += [mask.name, f"  cite     {cited or 'unknown: nothing is registered'}"]
        lines += [f"  licence  {mask.license}"]
        lines += [f"  notice   {mask.notice}"] if mask.notice else []
        lines += [""]
    lines += [f"[{numbers[key]}] {each.sentence}" for key, each in keyed.items()]
    lines += [""] * bool(keyed)
    text = "".join(f"{shown(line)}\n" for line in lines)
    return Printed((text + database).removesuffix("\n"))
