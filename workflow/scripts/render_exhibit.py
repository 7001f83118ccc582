"""Draw up one exhibit in every language and format.

Inputs: tidy numbers. Outputs: table or figure files.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.exhibits.render import render
    from refino_eval.exhibits.tidy import read_tidy
    from refino_eval.exhibits.wording.labels import LabelBook

    name = snakemake.wildcards.exhibit
    params = snakemake.params
    definitions = Definitions.model_validate({"exhibits": {name: params.exhibit}, **params.labels})
    labels = LabelBook.named(params.names, definitions)
    numbers = read_tidy(Path(snakemake.input.aggregate))
    folder = Path(snakemake.output[0]).parent
    for language in params.languages:
        written = render(
            name,
            definitions.exhibits[name],
            numbers,
            labels=labels,
            language=language,
            tables_dir=folder,
            figures_dir=folder,
            facts={"data_class": params.names["data_class"], "stars": params.stars},
            formats=params.formats,
        )
        log.info("%s (%s): %s", name, language, ", ".join(path.name for path in written))
