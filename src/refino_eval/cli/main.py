"""`refino-eval run | check | simulate | list`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from refino_eval.errors import UserFault, nearest

app = typer.Typer(
    help="Evaluate a randomised labour-market trial from register data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EvaluationName = Annotated[
    str | None,
    typer.Option(
        "--evaluation", "-e", help="A file of config/evaluations. [default: the one config/config.yaml names]"
    ),
]

LISTS = ("evaluations", "exhibits", "outcomes", "states", "covariates", "specifications", "registers")


@contextmanager
def _telling_faults() -> Iterator[None]:
    """Tell a user's fault in plain paragraphs and end with exit code 2; let anything else through."""
    try:
        yield
    except UserFault as fault:
        tell(fault.faults)
        raise typer.Exit(2) from None


def tell(faults: tuple[str, ...]) -> None:
    """Print faults on standard error, one paragraph each."""
    mark = "- " if len(faults) > 1 else ""
    if mark:
        print(f"{len(faults)} things must be mended:", file=sys.stderr)
    for fault in faults:
        print(f"{mark}{fault}", file=sys.stderr)


@app.command()
def run(
    evaluation: EvaluationName = None,
    cores: Annotated[int, typer.Option("--cores", "-c", min=1, help="Processes at a time.")] = 2,
    until: Annotated[str | None, typer.Option(help="Stop at a target of the workflow: outcomes, aggregates.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Do everything again, even what is up to date.")] = False,
) -> None:
    """Run an evaluation from delivered registers to report; what is up to date is left alone."""
    from refino_eval.cli.running import run_workflow

    with _telling_faults():
        raise typer.Exit(run_workflow(evaluation=evaluation, cores=cores, until=until, force=force))


@app.command()
def check(
    evaluation: EvaluationName = None,
    everything: Annotated[bool, typer.Option("--all", help="Check every evaluation there is.")] = False,
) -> None:
    """Check configuration, worked examples and the delivery's files, without running anything."""
    from refino_eval.cli.checking import check_evaluation
    from refino_eval.config.load import evaluation_names, project_root

    with _telling_faults():
        root = project_root()
        os.chdir(root)
        for name in evaluation_names(root) if everything else [evaluation]:
            for line in check_evaluation(root, name):
                print(line)


@app.command()
def simulate(
    recipe: Annotated[str, typer.Option(help="A file of config/synthetic.")] = "refino",
    out: Annotated[Path | None, typer.Option(help="Folder to write. [default: data/synthetic/<recipe>]")] = None,
    people: Annotated[int | None, typer.Option(min=20, help="People drawn. [default: the recipe's]")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed. [default: the recipe's]")] = None,
    effects: Annotated[str | None, typer.Option(help="Planted effects: a preset of the recipe.")] = None,
    calibration: Annotated[bool, typer.Option(help="Compare the delivery with the recipe's targets.")] = True,
) -> None:
    """Make a synthetic register with a known truth, and show how near it comes to its targets."""
    from refino_eval.cli.simulating import simulate_register

    with _telling_faults():
        simulate_register(recipe=recipe, out=out, people=people, seed=seed, effects=effects, calibration=calibration)


@app.command(name="list")
def list_names(
    what: Annotated[str, typer.Argument(help=f"One of: {', '.join(LISTS)}.")] = "evaluations",
    evaluation: EvaluationName = None,
) -> None:
    """List what there is, with labels."""
    from refino_eval.cli.listing import listed

    with _telling_faults():
        if what not in LISTS:
            raise UserFault(f"There is no list of '{what}'.{nearest(what, LISTS)}")
        for line in listed(what, evaluation):
            print(line)


if __name__ == "__main__":
    app()
