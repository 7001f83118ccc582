"""Write the catalogue of definitions in one language.

Inputs: code lists and price indices. Outputs: one self-contained HTML page, and the same as Markdown.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.report.catalogue_page import write_catalogue

    shown = write_catalogue(
        snakemake.params.configuration,
        other_sources=snakemake.params.other_sources,
        codelists=Path("config/codelists"),
        language=snakemake.wildcards.language,
        html_path=Path(snakemake.output.page),
        markdown_path=Path(snakemake.output.markdown),
    )
    log.info("catalogue (%s): %d definitions", snakemake.wildcards.language, shown)
