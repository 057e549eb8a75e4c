# SPDX-License-Identifier: MIT
"""The command `brainmasks`: its subcommands, and how each way to end it ends."""

import errno
import os
import sys
from collections.abc import Sequence

import click

from ..errors import MaskError
from ..version import __version__
from .checking import check
from .citing import cite
from .listing import get_mask, list_grids, list_masks
from .options import Options, common
from .output import Printed, say
from .registering import register

PROGRAM = "brainmasks"
# As a shell has it for a program that an interrupt, or a reader that left, has ended.
INTERRUPTED = 130
NOBODY_READS = 141


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=PROGRAM)
@common
def brainmasks(options: Options) -> None:
    """Verified brain masks: list them, get them, check images against them, add your own.

    \b
    Examples:
      brainmasks list --space MNI152NLin6Asym
      brainmasks get MNI152NLin6Asym_2mm
      brainmasks check lesions/*.nii.gz --mask MNI152NLin6Asym_2mm
      brainmasks register brain_mask.nii.gz --space MyLab --table my_masks.tsv

    \b
    Completion by the Tab key, for bash (zsh, fish: the same with their names):
      eval "$(_BRAINMASKS_COMPLETE=bash_source brainmasks)"

    Exit status: 0; 1 if something is refused or not available; 2 for a mistake in the command.
    """
    click.get_current_context().obj = options


for command in (register, list_masks, get_mask, check, cite, list_grids):
    brainmasks.add_command(command)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status; an expected failure is one message.

    Parameters
    ----------
    args
        What was typed behind the name of the program; without it, what was typed.
    """
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a letter of a name is no reason to end.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = brainmasks.main(args, prog_name=PROGRAM, standalone_mode=False)
        if not isinstance(result, Printed):
            return result if isinstance(result, int) else 0
        sys.stdout.write(result.text)
        sys.stdout.flush()
    except click.ClickException as err:
        err.show()
        return err.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return INTERRUPTED
    except MaskError as err:
        say(f"error: {err}")
        return 1
    except OSError as err:
        if err.errno == errno.EPIPE:
            # Nobody reads any more, as with `| head`; nor what Python flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return NOBODY_READS
        where = f"{err.filename}: " if err.filename else ""
        say(f"error: {where}{err.strerror or err}")
        return 1
    return result.status
