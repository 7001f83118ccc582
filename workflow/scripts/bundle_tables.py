"""Put all tables of an evaluation into one Word document and one Excel book.

Inputs: tidy numbers of every table. Outputs: one file a format.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.exhibits.formats.write import write_bundle
    from refino_eval.exhibits.render import laid_out
    from refino_eval.exhibits.tidy import read_tidy
    from refino_eval.exhibits.wording.labels import LabelBook

    params = snakemake.params
    language = snakemake.wildcards.language
    definitions = Definitions.model_validate(params.definitions)
    labels = LabelBook.named(params.names, definitions)
    numbers = {Path(path).stem: read_tidy(Path(path)) for path in snakemake.input.aggregates}
    facts = {"data_class": params.names["data_class"], "stars": params.stars}
    tables = [
        laid_out(name, exhibit, numbers[name], labels=labels, language=language, facts=facts)
        for name, exhibit in definitions.exhibits.items()
    ]
    for path in snakemake.output:
        write_bundle(tables, Path(path), title=params.title[language], language=language)
    log.info("%d tables (%s)", len(tables), language)
