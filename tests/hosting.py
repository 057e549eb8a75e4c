# SPDX-License-Identifier: MIT
"""A host workflow that takes in this one as a module."""

from support import REPO, Workflow, module


class Host(Workflow):
    """A working folder with a Snakefile of its own that takes in this workflow."""

    def __init__(self, workflow: Workflow) -> None:
        super().__init__(workflow.folder)
        self.snakefile = None
        # As a literal in the Snakefile; `config` then is the host's own.
        self.settings = workflow.config

    def command(self, *args) -> list[str]:
        return super().command("--cores", "2", *args)

    def write(self, *parts: str) -> None:
        """Write the host's Snakefile."""
        (self.folder / "Snakefile").write_text("\n\n".join(parts))

    def module(self, snakefile: str | None = None, **options) -> str:
        """Return the statements that take in this workflow; options are expressions."""
        options = {"config": repr(self.settings)} | options
        return module(snakefile or repr(str(REPO / "Snakefile")), **options)


def make_twice(host: Host, **env) -> str:
    """Run the host, see that a second run has nothing to do, return what the first printed."""
    printed = host.succeed(**env)
    assert "Nothing to be done" in host.succeed(**env)
    return printed
