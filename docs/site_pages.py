# SPDX-License-Identifier: MIT
"""Hook of MkDocs: pages that stand outside of docs/, and links to files of the repository.

Pages are written for a code host, where a link leads from file to file. In the site it leads to the
page that is made from the file, and where there is none, to the file on the code host.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from brainmasks.version import PROJECT_URL

REPO = Path(__file__).resolve().parents[1]
# File of the repository: page of the site.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "config/README.md": "configuration.md",
    "workflow/tables/sources/README.md": "table-sources.md",
    "examples/lesion-network/README.md": "example.md",
}
FILES = {page: file for file, page in PAGES.items()}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that stand outside of docs/."""
    for file, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(REPO / file)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let each link to a file lead to its page, or to the file on the code host."""
    here = page.file.src_uri
    folder = posixpath.dirname(FILES.get(here, f"docs/{here}"))

    def target(match: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(folder, match[1]))
        anchor = match[2] or ""
        found = PAGES.get(file) or PAGES.get(f"{file}/README.md") or file.removeprefix("docs/")
        if found in files.src_uris:
            return posixpath.relpath(found, posixpath.dirname(here)) + anchor
        if (REPO / file).exists():
            kind = "tree" if (REPO / file).is_dir() else "blob"
            return f"{PROJECT_URL}/{kind}/main/{file}{anchor}"
        return match[0]

    return LINK.sub(target, markdown)
