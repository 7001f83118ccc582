"""Put the counts of all registers together.

Inputs: one JSON a register, and `linkage.csv`. Outputs: `quality.csv` (a row a register) and `quality_rules.csv` (a row a rule).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    import pandas as pd

    from refino_eval.registers.ingest_report import IngestReport, quality_tables

    reports = [IngestReport.from_json(Path(path).read_text(encoding="utf-8")) for path in snakemake.input.reports]
    quality, rules = quality_tables(reports, pd.read_csv(snakemake.input.linkage))
    quality.to_csv(snakemake.output.quality, index=False, lineterminator="\n")
    rules.to_csv(snakemake.output.rules, index=False, lineterminator="\n")
    log.info("%d registers", len(quality))
