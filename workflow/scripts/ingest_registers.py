"""Read delivered registers: clean rows, and rejects with the rule that rejected them.

Inputs: the delivered files. Outputs: clean and rejected rows (parquet) and the counts (JSON) of each register. A register
whose files, description and code lists are unchanged is kept.
"""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import also_read, job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.codes.codelists import load_codelists
    from refino_eval.config.sources import Source
    from refino_eval.kept_results import KeptResults, Result
    from refino_eval.registers.ingest import ingest
    from refino_eval.registers.lake_registers import ingest_from_lake
    from refino_eval.registers.register_files import find_files

    params = snakemake.params
    folder = Path(params.folder)
    sources = {name: Source.from_params(register["source"]) for name, register in params.registers.items()}

    def read(result: Result) -> None:
        """Read one register."""
        source = sources[result.name]
        names = [column.codelist for column in source.columns.values() if column.codelist is not None]
        clean, rejects, counts = map(Path, result.writes)
        asked = {
            "codelists": load_codelists(names, Path("config/codelists")),
            "clean_path": clean,
            "rejects_path": rejects,
            "origin": dt.date.fromisoformat(params.origin) if params.origin else None,
            "threads": snakemake.threads,
        }
        report = ingest(source, folder, **asked) if source.lake is None else ingest_from_lake(source, **asked)
        counts.write_text(report.to_json(), encoding="utf-8")
        log.info(
            "%s: %d delivered, %d clean, %d rejected", report.register, report.delivered, report.clean, report.rejected
        )

    results, in_lake = [], []
    for name, register in params.registers.items():
        delivered = find_files(sources[name], folder)
        also_read(delivered)
        reads = dict.fromkeys([*register["reads"], *(path.as_posix() for path in delivered)])
        made_from = [register["source"], params.folder, params.origin, params.source_digest]
        result = Result(name, made_from, tuple(reads), tuple(register["writes"]))
        (results if sources[name].lake is None else in_lake).append(result)
    KeptResults(results_of(snakemake), "registers").make_each(results, read, log)
    # Nobody sees from here whether a register in a data lake has changed: it is read whenever the job runs.
    for result in in_lake:
        read(result)
