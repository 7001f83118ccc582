"""Read one delivered register: clean rows, and rejects with the rule that rejected them.

Inputs: the delivered files. Outputs: clean and rejected rows (parquet), and the counts (JSON).
"""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import also_read, job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.codes.codelists import load_codelists
    from refino_eval.config.sources import Source
    from refino_eval.registers.ingest import ingest
    from refino_eval.registers.register_files import find_files

    source = Source.from_params(snakemake.params.source)
    names = [column.codelist for column in source.columns.values() if column.codelist is not None]
    origin = snakemake.params.origin
    folder = Path(snakemake.params.folder)
    also_read(find_files(source, folder))
    report = ingest(
        source,
        folder,
        codelists=load_codelists(names, Path("config/codelists")),
        clean_path=Path(snakemake.output.clean),
        rejects_path=Path(snakemake.output.rejects),
        origin=dt.date.fromisoformat(origin) if origin else None,
        threads=snakemake.threads,
    )
    Path(snakemake.output.report).write_text(report.to_json(), encoding="utf-8")
    log.info(
        "%s: %d delivered, %d clean, %d rejected", report.register, report.delivered, report.clean, report.rejected
    )
