"""Pages of the documentation site that are generated: the reference from models and texts, and pages from outside this folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from refino_eval.cli.exhibits_command import examples, key_rows, meaning
from refino_eval.cli.texts_command import proofreading_lines
from refino_eval.config.exhibits import KINDS, model_of

ROOT = Path(__file__).parents[1]
FROM_OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "config/README.md": "reference/configuration.md",
    "data/published/README.md": "reference/published_values.md",
}
"""Page in the repository -> page of the site."""
ESTIMATION = """\
# Estimation

The functions of `refino_eval.estimation` take arrays or data frames, and can be used without registers and configuration.

::: refino_eval.estimation
    options:
      members: false

::: refino_eval.estimation.core.regression_inputs.RegressionInputs
{functions}
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those of the folder."""
    pages = {uri: (ROOT / path).read_text(encoding="utf-8") for path, uri in FROM_OUTSIDE.items()}
    pages["reference/exhibit_kinds.md"] = "\n".join(exhibit_kinds())
    pages["reference/texts.md"] = "\n".join(_as_text(line) for line in proofreading_lines(None, None))
    pages["reference/estimation.md"] = ESTIMATION.format(functions="\n".join(estimation_functions()))
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between files of the repository lead to pages of the site; what is no page keeps its name alone."""
    uri = page.file.src_uri
    source = next((path for path, site in FROM_OUTSIDE.items() if site == uri), f"docs/{uri}")

    def rewritten(link: re.Match[str]) -> str:
        text, target = link[1], link[2]
        if ":" in target or target.startswith("#") or uri.startswith("reference/texts"):
            return link[0]
        path, _, anchor = target.partition("#")
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(source), path)).rstrip("/")
        site = FROM_OUTSIDE.get(
            aim, aim.removeprefix("docs/") if aim.startswith("docs/") and aim.endswith(".md") else ""
        )
        if not site:
            return f"{text} (`{aim}`)"
        return f"[{text}]({posixpath.relpath(site, posixpath.dirname(uri) or '.')}{'#' + anchor if anchor else ''})"

    return re.sub(r"(?<!`)\[([^\]\n]+)\]\(([^)\s]+)\)", rewritten, markdown)


def exhibit_kinds() -> Iterator[str]:
    """Yield the page of exhibit kinds: what each shows, its keys, and an exhibit of an evaluation as an example."""
    yield "# Exhibit kinds\n"
    yield "Every kind of table and figure with its keys; the page is generated from the models that check them.\n"
    yield "| kind | form | what it shows |\n|---|---|---|"
    for kind in KINDS:
        yield f"| [`{kind}`](#{kind}) | {model_of(kind).form} | {_cell(meaning(kind).partition(chr(10))[0])} |"
    for kind in KINDS:
        yield f"\n## {kind}\n\n{meaning(kind)}\n\n| key | value | default | meaning |\n|---|---|---|---|"
        for key, value, default, description in key_rows(kind):
            yield f"| `{key}` | {value} | {default} | {_cell(description)} |"
        if kind in examples():
            name, example = examples()[kind]
            text = yaml.safe_dump({name: example}, allow_unicode=True, sort_keys=False, width=110)
            yield f"\nExample:\n\n```yaml\n{text}```"


def estimation_functions() -> Iterator[str]:
    """Yield a directive for each function that `refino_eval.estimation` exports."""
    from refino_eval import estimation

    for name in estimation.__all__:
        member = getattr(estimation, name)
        if callable(member) and name[0].islower():
            yield f"\n::: {member.__module__}.{member.__name__}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _as_text(line: str) -> str:
    """Keep a text of a catalogue from being read as HTML."""
    return line.replace("<", "&lt;")
