"""`refino-eval`: run, check, simulate and audit evaluations, and read their definitions and numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from refino_eval.cli.outcomes import outcome_commands
from refino_eval.cli.output import Commands, EvaluationName, check_option
from refino_eval.errors import UserError, masked, raise_problems

app = typer.Typer(
    cls=Commands,
    help="Evaluate a randomised labour-market trial from register data.",
    epilog="Exit codes: 0 done, 1 fault of the program (or, with --strict, certain findings), 2 problem in the command, "
    "configuration or delivery, 3 refused by the machine (disk, memory, permissions).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(outcome_commands.app, name="outcomes")

LISTS = ("evaluations", "exhibits", "outcomes", "states", "covariates", "specifications", "registers")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"refino-eval {version('refino_eval')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Evaluate a randomised labour-market trial from register data."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is empty or does not exist yet.")],
) -> None:
    """Make a project: configuration, workflow and a small made-up trial that runs."""
    from refino_eval.cli.init_command import make_project

    for line in make_project(folder):
        typer.echo(line)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the new evaluation.")],
    source: Annotated[
        tuple[str, Path],
        typer.Option(
            "--from",
            metavar="KIND PATH",
            help="registers FOLDER, person-table FILE (one row per person) or panel FILE (one row per person and period).",
        ),
    ],
    arm: Annotated[str | None, typer.Option(help="The column with the arm. [default: guessed]")] = None,
    clock: Annotated[
        str | None, typer.Option(help="month or week, for registers and panels. [default: guessed, or month]")
    ] = None,
) -> None:
    """Propose an evaluation from delivered files: valid YAML, with what the files do not show marked TODO."""
    from refino_eval.cli.new_command import propose_evaluation
    from refino_eval.config.load import project_root

    kind, path = source
    check_option("--from", kind, ("registers", "person-table", "panel"))
    if clock is not None:
        check_option("--clock", clock, ("month", "week"))
    for line in propose_evaluation(project_root(), name, kind, path, arm=arm, unit=clock):  # type: ignore[arg-type]
        typer.echo(line)


@app.command()
def run(
    evaluation: EvaluationName = None,
    cores: Annotated[
        int | None,
        typer.Option(
            "--cores", "-c", min=1, help="Number of processes; on a cluster, cores of a job at most. [default: 2]"
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Where jobs run: a folder of workflow/profiles, as laptop or slurm.")
    ] = "laptop",
    until: Annotated[str | None, typer.Option(help="Stop at a target of the workflow: outcomes, aggregates.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Repeat everything, even what is up to date.")] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Run again whenever a definition is saved, until Ctrl-C; only what changed."),
    ] = False,
) -> None:
    """Run an evaluation from delivered registers to report; what is up to date is not repeated."""
    from refino_eval.cli.running.run_command import run_workflow

    def run_once(*, force: bool = False) -> int:
        return run_workflow(evaluation=evaluation, cores=cores, profile=profile, until=until, force=force)

    if not watch:
        raise typer.Exit(run_once(force=force))
    from refino_eval.cli.running.watch_command import watch_workflow
    from refino_eval.config.load import project_root

    if force:
        raise UserError("--watch repeats only what depends on a change and cannot be combined with --force.")
    watch_workflow(project_root(), run_once)


@app.command()
def check(
    evaluation: EvaluationName = None,
    everything: Annotated[bool, typer.Option("--all", help="Check every evaluation.")] = False,
    delivery: Annotated[
        Path | None, typer.Option(help="Folder of a delivery to check instead of the evaluation's own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the receipt. [default: results/<evaluation>/run/receipt]")
    ] = None,
) -> None:
    """Check configuration and worked examples, and write the delivery's receipt; exit code 2 if problems are found."""
    from refino_eval.cli.check_command import check_evaluation
    from refino_eval.config.load import evaluation_names, project_root

    if everything and (delivery or out):
        raise UserError("--all cannot be combined with --delivery or --out, which belong to one evaluation.")
    # Paths that the user gives are relative to the folder where the command was typed.
    delivery, out = (Path(os.path.abspath(path)) if path is not None else None for path in (delivery, out))
    root = project_root()
    os.chdir(root)
    problems: list[str] = []
    for name in evaluation_names(root) if everything else [evaluation]:
        try:
            for line in check_evaluation(root, name, delivery=delivery, out=out):
                print(line)
        except UserError as error:
            problems += [masked(problem) for problem in error.problems]  # they can quote values of the delivery
    raise_problems(problems)


@app.command()
def sources(
    variable_list: Annotated[
        bool, typer.Option("--variable-list", help="Every column that is read, with the reason, for data owners.")
    ] = False,
    language: Annotated[str, typer.Option(help="nb or en.")] = "en",
    form: Annotated[str, typer.Option("--format", help="md or csv.")] = "md",
    out: Annotated[Path | None, typer.Option(help="File to write. [default: print]")] = None,
    evaluation: EvaluationName = None,
) -> None:
    """List the registers that an evaluation reads, or each of their columns with the reason for reading it."""
    from refino_eval.cli.source_commands import list_sources

    list_sources(evaluation, variable_list=variable_list, language=language, form=form, out=out)


@app.command()
def simulate(
    recipe: Annotated[
        str | None, typer.Option(help="A file of config/synthetic. [default: the one of the default evaluation]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write. [default: data/synthetic/<recipe>]")] = None,
    people: Annotated[
        int | None, typer.Option(min=20, max=100_000_000, help="People assigned. [default: the recipe's]")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed. [default: the recipe's]")] = None,
    effects: Annotated[str | None, typer.Option(help="Planted effects: a preset of the recipe.")] = None,
    calibration: Annotated[bool, typer.Option(help="Compare the delivery with the recipe's targets.")] = True,
    mess: Annotated[
        str | None,
        typer.Option(help="Faults to plant, separated by commas; none; `list` shows them. [default: the recipe's]"),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="csv, parquet, dta or sav for every register. [default: the recipe's]"),
    ] = None,
) -> None:
    """Make a synthetic register with a known truth, and compare it with its targets."""
    from refino_eval.cli.simulate_command import simulate_register

    simulate_register(
        recipe=recipe,
        out=out,
        people=people,
        seed=seed,
        effects=effects,
        calibration=calibration,
        mess=mess,
        file_format=file_format,
    )


@app.command()
def pdf(
    evaluation: EvaluationName = None,
    language: Annotated[str | None, typer.Option(help="nb or en. [default: all of the project]")] = None,
) -> None:
    """Make the PDF of a finished run's report, with a browser of this machine (Chromium, Chrome or Edge)."""
    from refino_eval.cli.pdf_command import make_pdf

    for line in make_pdf(evaluation, language=language):
        typer.echo(line)


KeyFile = Annotated[Path | None, typer.Option("--key", help="File with a secret key that signs the manifest.")]


@app.command()
def release(
    evaluation: EvaluationName = None,
    profile: Annotated[
        str | None, typer.Option(help="A file of config/disclosure. [default: the configured one; none for open data]")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Name of the release. [default: v1, v2, ...]")] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(
            help="An earlier release of the same people elsewhere; may be repeated. This evaluation's are known."
        ),
    ] = None,
    key: KeyFile = None,
) -> None:
    """Write results that may leave the secure zone: protected, attacked, recorded; exit code 2 if an attack succeeds."""
    from refino_eval.cli.release_commands import release_evaluation

    lines = release_evaluation(evaluation, profile=profile, version=version, earlier=earlier or [], key=key)
    for line in lines:
        print(line)


@app.command(name="verify-release")
def verify_release(
    place: Annotated[Path, typer.Argument(help="The folder or the .zip file of a release.")], key: KeyFile = None
) -> None:
    """Check that a release is as it was made, and name every file that changed (exit code 2)."""
    from refino_eval.cli.release_commands import verify_release as confirm

    for line in confirm(place, key=key):
        print(line)


@app.command(name="replication-package")
def replication_package(
    evaluation: EvaluationName = None,
    run: Annotated[
        bool, typer.Option(help="Unpack the package, run it without a network, and compare its numbers.")
    ] = True,
    wheelhouse: Annotated[
        Path | None, typer.Option(help="Folder of wheels: run the package in a new environment made from them.")
    ] = None,
) -> None:
    """Write what a journal's data editor asks for: an archive that runs elsewhere, a list of closed inputs, a README."""
    from refino_eval.cli.release_commands import package_evaluation

    for line in package_evaluation(evaluation, run=run, wheelhouse=wheelhouse):
        print(line)


@app.command()
def audit(
    documents: Annotated[
        list[str] | None,
        typer.Argument(
            help="Documents to audit: .docx, .xlsx, .html, .csv, .md, .txt, or names of data/published. [default: all of data/published]"
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="text, html, csv, json or md. [default: by the ending of --out, else text]"),
    ] = None,
    language: Annotated[str, typer.Option(help="nb or en; csv and json have both.")] = "en",
    out: Annotated[Path | None, typer.Option(help="File to write. [default: print]")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 if a finding is certain.")] = False,
) -> None:
    """Look for errors in the tables of papers and reports: arithmetic and statistics that must hold, with rounding treated exactly.

    Exit codes: 0 audited, 1 with --strict if a finding is certain, 2 a document that cannot be read, 3 refused by the machine.
    """
    from refino_eval.cli.audit_command import audit_documents

    raise typer.Exit(audit_documents(documents or [], form=form, language=language, out=out, strict=strict))


@app.command()
def studies() -> None:
    """Write the page of all evaluations with results, and comparisons of effects between them (config/forests.yaml)."""
    from refino_eval.config.load import project_root
    from refino_eval.report.studies.study_page import write_study_page

    os.chdir(project_root())
    for path in write_study_page(Path()):
        typer.echo(f"{path.as_posix()} is written")


@app.command()
def score() -> None:
    """Count how many published numbers each evaluation reproduces: a Markdown table of the finished runs."""
    from refino_eval.checksums import require_as_written
    from refino_eval.config.load import project_root
    from refino_eval.published.score import score_table, scores_of

    os.chdir(project_root())
    for folder in sorted(Path("results").glob("*/")):
        require_as_written(folder, "run/comparison.csv")
    comparisons = scores_of(Path("results"))
    if not any(len(frame) for frame in comparisons.values()):
        raise UserError("No evaluation with published numbers has been run here. See `refino-eval run --help`.")
    typer.echo(score_table(comparisons))


@app.command(name="list")
def list_names(
    what: Annotated[str, typer.Argument(help=f"One of: {', '.join(LISTS)}.")] = "evaluations",
    evaluation: EvaluationName = None,
) -> None:
    """List evaluations, registers or definitions with their labels."""
    from refino_eval.cli.list_command import entries

    check_option("list", what, LISTS)
    for line in entries(what, evaluation):
        print(line)


@app.command()
def texts(
    language: Annotated[str | None, typer.Option(help="nb or en. [default: both]")] = None,
    theme: Annotated[str | None, typer.Option(help="One catalogue of texts. [default: all]")] = None,
) -> None:
    """Print every text of tables, notes and report with its key, as one Markdown document for proofreading."""
    from refino_eval.cli.texts_command import proofreading_lines

    for line in proofreading_lines(language, theme):
        typer.echo(line)


@app.command()
def exhibits(
    kind: Annotated[str | None, typer.Argument(help="A kind to explain. [default: list all]")] = None,
) -> None:
    """List the kinds of tables and figures, or explain one: its keys, an example, and one that was made."""
    from refino_eval.cli.exhibits_command import explain_kind, kind_lines
    from refino_eval.config.load import project_root

    try:
        root = project_root()
    except UserError:
        root = None  # kinds can be looked up anywhere
    for line in kind_lines() if kind is None else explain_kind(kind, root):
        typer.echo(line)


@app.command()
def trace(
    number: Annotated[
        str | None, typer.Argument(help="exhibit:row:column:statistic, or with :panel at the end.")
    ] = None,
    evaluation: EvaluationName = None,
    panel: Annotated[str | None, typer.Option(help="The panel, if the exhibit has several.")] = None,
    language: Annotated[str, typer.Option(help="nb or en.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="List the numbers of a finished run, of all exhibits or of the one named.")
    ] = False,
) -> None:
    """Show where a number comes from: definition, sample, specification, code, inputs, checks and published value."""
    from refino_eval.cli.trace_command import number_lines, trace_number

    if listed:
        for line in number_lines(number, evaluation=evaluation):
            print(line)
        return
    if number is None:
        raise UserError(
            "Name a number (exhibit:row:column:statistic). `refino-eval trace --list` lists those of a finished run."
        )
    for line in trace_number(number, evaluation=evaluation, panel=panel, language=language, as_json=as_json):
        print(line)


if __name__ == "__main__":
    app()
