"""A toy finished run: aggregates, figures and the tables of `run/`."""

from __future__ import annotations

import json
from pathlib import Path

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.exhibits.render import render
from refino_eval.exhibits.tidy import write_tidy
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.published.compare import compare_files
from refino_eval.report import ReportInputs
from support import exhibits as toy

PRINTED = """\
exhibit,panel,row,column,statistic,printed,qualifier,source_line
table_8_1,main,refino,any_wage,estimate,-0.0096,,10
table_8_1,main,refino,any_wage,std_error,(0.017),,11
table_8_1,main,refino,weekly_hours,estimate,0.90,,10
table_8_1,main,refino,weekly_hours,n,4901,,12
table_8_1,main,refino,hours_of_sleep,n,4901,,12
figure_8_1,any_wage,0,all,mean,30 %,about,14
table_9,main,refino,any_wage,estimate,0.10,,15
"""
FLOW = """\
step,reason,persons,treated,control
delivered,,5120,1910,3210
population,area_left,219,83,136
population,,4901,1827,3074
analysed,no_demography,3,1,2
analysed,,4898,1826,3072
"""
QUALITY = "register,delivered,clean,rejected,people\njobs,84211,84019,192,4871\nwages,300122,300122,0,4633\n"
LINKAGE = (
    "register,people,found,treated,treated_found,control,control_found,ids_only_there,alike,expected,floor\n"
    "jobs,4898,3900,1826,1500,3072,2400,17,0,0.9,0.45\nwages,4898,4700,1826,1750,3072,2950,3,0,,0\n"
)
RULES = "register,rule,rows,people\njobs,stop_before_start,150,91\njobs,duplicate,42,40\n"


def evaluation(
    data_class: str = "synthetic", label: str = "Refino & <Oppfølging>", design: str = "randomised"
) -> Evaluation:
    return Evaluation.model_validate(
        {
            "name": "toy",
            "label": {"nb": label, "en": label},
            "data_class": data_class,
            "design": design,
            "data": "data/synthetic/toy",
            "sources": ["draws"],
            "population": {
                "register": "draws",
                "steps": [{"reason": "area_left", "label": {"nb": "Området gikk ut", "en": "The area left"},
                           "exclude": [{"column": "area", "in": ["X"]}]}],
            },
            "samples": {"analysed": {"label": {"nb": "Analyseutvalget", "en": "The analysed sample"}}},
            "arms": {
                "treated": {"name": "refino", "code": "R", "label": {"nb": "Refino", "en": "Refino"}},
                "control": {"name": "oppfolging", "code": "O", "label": {"nb": "Oppfølging", "en": "Oppfølging"}},
            },
            "strata": ["county", "draw_month"],
            "clocks": {"month": {"first": -24, "last": 24}},
            "exhibits": list(toy.frames()),
        }
    )  # fmt: skip


def make_run(
    folder: Path,
    *,
    data_class: str = "synthetic",
    languages: tuple[str, ...] = ("en",),
    study: Evaluation | None = None,
    definitions: Definitions | None = None,
) -> ReportInputs:
    study = study or evaluation(data_class)
    definitions = definitions or toy.definitions()
    inputs = ReportInputs(
        evaluation=study,
        definitions=definitions,
        aggregates_dir=folder / "aggregates",
        release_dir=folder / "release",
        run_dir=folder / "run",
    )
    labels = LabelBook.of(study, definitions)
    frames = {name: frame for name, frame in toy.frames().items() if name in study.exhibits}
    for name, frame in frames.items():
        write_tidy(frame, inputs.aggregates_dir / f"{name}.csv")
        if definitions.exhibits[name].form == "figure":
            for language in languages:
                render(
                    name, definitions.exhibits[name], frame, labels=labels, language=language, facts={},
                    tables_dir=inputs.release_dir / "tables", figures_dir=inputs.release_dir / "figures",
                    formats=("svg", "png"),
                )  # fmt: skip
    inputs.run_dir.mkdir(parents=True)
    printed = folder / "printed.csv"
    printed.write_text(PRINTED, encoding="utf-8")
    (folder / "printed.source.yaml").write_text('pages: {table_8_1: "76-78"}\n', encoding="utf-8")
    compare_files(
        [printed],
        [inputs.aggregates_dir / f"{name}.csv" for name in frames],
        data_class=data_class,
        out_path=inputs.run_dir / "comparison.csv",
    )
    for name, text in (("flow", FLOW), ("quality", QUALITY), ("quality_rules", RULES), ("linkage", LINKAGE)):
        (inputs.run_dir / f"{name}.csv").write_text(text, encoding="utf-8")
    record = {
        "evaluation": "toy", "configuration_sha256": "ab" * 32, "seed": 20180501,
        "code": {"commit": None, "modified": None}, "lock_sha256": None, "python": "3.11.9",
        "packages": {"numpy": "2.4.0", "pandas": "3.1.0"},
        "delivery": [{"file": "draws.csv", "bytes": 123456, "sha256": "cd" * 32}],
    }  # fmt: skip
    (inputs.run_dir / "provenance.json").write_text(json.dumps(record), encoding="utf-8")
    return inputs
