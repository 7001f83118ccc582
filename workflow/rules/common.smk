"""What all rules share: the checked configuration, and the functions that turn it into inputs, params and targets.

Every rule names the conda environment of workflow/envs. It is used only with `--software-deployment-method conda`;
without the option, jobs run in the environment that Snakemake runs in, locked with hashes.
"""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from refino_eval.config import checks, load_configuration
from refino_eval.config.bare import bare
from refino_eval.config.exhibits import kinds_of
from refino_eval.config.load import read_yaml
from refino_eval.digest import source_digest
from refino_eval.errors import UserError
from refino_eval.exhibits.wording.labels import flow_labels
from refino_eval.outcomes.plan import load_plan
from refino_eval.registers.readers.delivered_files import find_files

try:
    CONFIGURATION = load_configuration(Path.cwd(), evaluation=config["evaluation"])
    EVALUATION = CONFIGURATION.evaluation
    PLAN = load_plan(CONFIGURATION.root, EVALUATION.name)
    DEFINITIONS = CONFIGURATION.definitions
    if EVALUATION.synthetic is None and EVALUATION.entry == "spells":
        for _source in CONFIGURATION.sources.values():
            find_files(_source, CONFIGURATION.data_folder)
except UserError as fault:
    raise WorkflowError("\n".join(fault.problems))

NAME = EVALUATION.name
LANGUAGES = list(CONFIGURATION.project.languages)
FORMATS = CONFIGURATION.project.formats
NOTHING = "(?!)"  # a pattern that no name matches: the rule has nothing to do in this evaluation
TABLE_KINDS, FIGURE_KINDS = kinds_of("table"), kinds_of("figure")


def recipe():
    """Return the recipe of the synthetic register as plain data."""
    if EVALUATION.synthetic is None:
        return None
    path = f"config/synthetic/{EVALUATION.synthetic.recipe}.yaml"
    return read_yaml(CONFIGURATION.root / path, path)


def published_source():
    """Return the file beside the published values that says what they are, where there is one."""
    path = f"data/published/{EVALUATION.published}.source.yaml"
    return (
        [path] if EVALUATION.published and (CONFIGURATION.root / path).is_file() else []
    )


def plain(model):
    """Return a model as plain data for params: only what was written, so that a new default changes nothing."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def named(entries, names, form=plain):
    """Return chosen definitions as plain data."""
    return {name: form(entries[name]) for name in names}


def digest(script):
    """Return the hash of the library code behind a workflow script."""
    return source_digest(Path(workflow.basedir) / "workflow" / "scripts" / script)


def number_making_digests():
    """Return the hash of the library code behind each rule that makes numbers."""
    scripts = [
        "ingest_register",
        "link_population",
        "derive_panel",
        "derive_outcome",
        "estimate_exhibit",
    ]
    return {script: digest(f"{script}.py") for script in scripts}


def only(condition):
    """Return the wildcard constraint of rules that this evaluation has or has not."""
    return NAME if condition else NOTHING


def exhibits_of(*chosen):
    """Return the constraint that lets through the evaluation's exhibits of some kinds."""
    names = [
        name
        for name in EVALUATION.exhibits
        if DEFINITIONS.exhibits[name].kind in chosen
    ]
    return "|".join(names) or NOTHING


def covariates():
    """Return the covariates that this evaluation uses, in alphabetical order."""
    return sorted(checks.used_covariates(EVALUATION, DEFINITIONS))


def outcome_names():
    """Return the outcomes that this evaluation uses."""
    return checks.used_outcomes(EVALUATION, DEFINITIONS)


def clean_file(register):
    """Return the path of a clean register."""
    return f"results/{NAME}/person_level/clean/{register}.parquet"


def delivered(wildcards):
    """Return the files that a register is read from, id lists included; a synthetic delivery is told by its manifest."""
    if EVALUATION.synthetic is not None:
        return f"{EVALUATION.data}/manifest.json"
    source, folder = (
        CONFIGURATION.sources[wildcards.register],
        CONFIGURATION.data_folder,
    )
    lists = [
        folder / rule.file for rule in source.rules if rule.rule == "person_not_listed"
    ]
    return [
        str(path)
        for path in [
            *find_files(source, folder),
            *(path for path in lists if path.is_file()),
        ]
    ]


def person_table_files():
    """Return the analysis files of a person table."""
    table = EVALUATION.person_table
    return (
        [f"{CONFIGURATION.data_folder}/{file}" for file in table.files] if table else []
    )


def cohort_registers():
    """Return the registers that the cohort is made of."""
    if EVALUATION.population is None:
        return []
    made_of = {DEFINITIONS.covariates[name].register_name for name in covariates()}
    return sorted({EVALUATION.population.register_name, *made_of})


def panel_states(unit):
    """Return the states that one clock's panel must hold."""
    return checks.used_states(EVALUATION, DEFINITIONS, unit)


def panel_definitions(wildcards):
    """Return the definitions of a panel's states and of those that they are computed from, without their words."""
    names = checks.needed_states(DEFINITIONS, panel_states(wildcards.unit))
    return named(DEFINITIONS.states, names, bare)


def panel_registers(unit):
    """Return the registers that one clock's panel reads."""
    return checks.state_registers(DEFINITIONS, panel_states(unit))


def panel_clean(wildcards):
    """Return the clean registers that a panel reads."""
    return [clean_file(register) for register in panel_registers(wildcards.unit)]


def panel_sources(wildcards):
    """Return the sources of a panel's registers."""
    return named(CONFIGURATION.sources, panel_registers(wildcards.unit), bare)


def panel_clock(wildcards):
    """Return the range of event time of a clock."""
    return plain(EVALUATION.clocks[wildcards.unit])


def wanted_states(wildcards):
    """Return the columns of a panel."""
    return panel_states(wildcards.unit)


def register_source(wildcards):
    """Return the source of one register."""
    return bare(CONFIGURATION.sources[wildcards.register])


def outcome_definition(wildcards):
    """Return the definition of one outcome."""
    return bare(DEFINITIONS.outcomes[wildcards.outcome])


def outcome_states(wildcards):
    """Return the definitions of the states behind one outcome, without their words."""
    wanted = checks.outcome_states(DEFINITIONS.outcomes[wildcards.outcome])
    return named(DEFINITIONS.states, checks.needed_states(DEFINITIONS, wanted), bare)


def plan_outcomes():
    """Return the outcomes that the registered plan may speak of: those in it, and those that are used."""
    planned = PLAN.primary if PLAN else {}
    return [
        name
        for name in dict.fromkeys([*planned, *outcome_names()])
        if name in DEFINITIONS.outcomes
    ]


def plan_definitions():
    """Return these outcomes as they now stand; their role is not a word here."""
    return {
        name: {
            **bare(DEFINITIONS.outcomes[name]),
            "role": DEFINITIONS.outcomes[name].role,
            "family": DEFINITIONS.outcomes[name].family,
        }
        for name in plan_outcomes()
    }


def plan_states():
    """Return the states behind these outcomes, without their words."""
    wanted = [
        state
        for name in plan_outcomes()
        for state in checks.outcome_states(DEFINITIONS.outcomes[name])
    ]
    return named(DEFINITIONS.states, checks.needed_states(DEFINITIONS, wanted), bare)


def outcome_panel(wildcards):
    """Return the panel that one outcome is computed from."""
    return f"results/{NAME}/person_level/panel_{DEFINITIONS.outcomes[wildcards.outcome].clock}.parquet"


def outcome_files(names):
    """Return the files of some outcomes."""
    return [f"results/{NAME}/person_level/outcomes/{name}.parquet" for name in names]


def exhibit_definition(wildcards):
    """Return the definition of one exhibit."""
    return plain(DEFINITIONS.exhibits[wildcards.exhibit])


def exhibit_numbers(wildcards):
    """Return the definition of one exhibit without its words."""
    return bare(DEFINITIONS.exhibits[wildcards.exhibit])


def exhibit_specifications(wildcards):
    """Return the specifications that one exhibit runs, without their words."""
    names = DEFINITIONS.exhibits[wildcards.exhibit].specifications_read
    return named(DEFINITIONS.specifications, names, bare)


def exhibit_subgroups(wildcards):
    """Return the subgroups that one exhibit's groups are made of, without their words."""
    names = DEFINITIONS.exhibits[wildcards.exhibit].subgroups_read
    return named(DEFINITIONS.subgroups, names, bare)


def exhibit_outcomes(wildcards):
    """Return the outcome files of one exhibit."""
    return outcome_files(DEFINITIONS.exhibits[wildcards.exhibit].outcomes)


def exhibit_panels(wildcards):
    """Return the panels of one exhibit."""
    units = DEFINITIONS.exhibits[wildcards.exhibit].panels
    return [f"results/{NAME}/person_level/panel_{unit}.parquet" for unit in units]


def exhibit_aggregates(wildcards):
    """Return the numbers of other exhibits that one is computed from."""
    others = DEFINITIONS.exhibits[wildcards.exhibit].exhibits_read
    return [f"results/{NAME}/aggregates/{other}.csv" for other in others]


def exhibit_clean(wildcards):
    """Return the clean registers of one exhibit."""
    return [
        clean_file(name)
        for name in DEFINITIONS.exhibits[wildcards.exhibit].registers_read
    ]


def exhibit_money(wildcards):
    """Return the costs and the rules of payment of one exhibit, without their words."""
    exhibit = DEFINITIONS.exhibits[wildcards.exhibit]
    return {
        "costs": named(DEFINITIONS.costs, exhibit.costs_read, bare),
        "payments": named(DEFINITIONS.payments, exhibit.payments_read, bare),
    }


def exhibit_published(wildcards):
    """Return the published values that the costs of one exhibit name."""
    names = DEFINITIONS.exhibits[wildcards.exhibit].costs_read
    files = {DEFINITIONS.costs[name].published for name in names} - {None}
    return [f"data/published/{file}.csv" for file in sorted(files)]


def exhibit_flow(wildcards):
    """Return the flow of people, for the exhibit that shows it."""
    if DEFINITIONS.exhibits[wildcards.exhibit].reads_flow:
        return [f"results/{NAME}/run/flow.csv"]
    return []


def exhibit_labels(wildcards):
    """Return the definitions that an exhibit's words come from."""
    return checks.words_of(wildcards.exhibit, EVALUATION, DEFINITIONS)


def label_names():
    """Return what the arms, samples, cells and a person table's outcomes are called."""
    table = EVALUATION.person_table
    return {
        "arms": plain(EVALUATION.arms),
        "samples": {
            name: plain(sample.label) for name, sample in EVALUATION.samples.items()
        },
        "strata": list(EVALUATION.strata or (table.strata if table else ())),
        "strata_labels": {
            name: plain(label) for name, label in EVALUATION.strata_labels.items()
        },
        "data_class": EVALUATION.data_class,
        "outcomes": named(table.labels, table.labels) if table else {},
        "weights": (table.weights or "") if table else "",
        "cluster": (table.cluster or "") if table else "",
        "flow": {row: plain(label) for row, label in flow_labels(EVALUATION).items()},
    }


def whole_configuration():
    """Return everything that was configured, as plain data."""
    return {
        "project": plain(CONFIGURATION.project),
        "evaluation": plain(EVALUATION),
        "definitions": {
            kind: named(getattr(DEFINITIONS, kind), getattr(DEFINITIONS, kind))
            for kind in type(DEFINITIONS).model_fields
        },
        "sources": named(CONFIGURATION.sources, CONFIGURATION.sources),
    }


def other_sources():
    """Return the registers that definitions speak of and this evaluation does not read, as plain data."""
    folder = CONFIGURATION.root / "config" / "sources"
    spoken = {
        getattr(entry, "register_name", None)
        for kind in ("states", "covariates")
        for entry in getattr(DEFINITIONS, kind).values()
    }
    return {
        name: read_yaml(folder / f"{name}.yaml", f"config/sources/{name}.yaml")
        for name in sorted(spoken - {None, *CONFIGURATION.sources})
        if (folder / f"{name}.yaml").is_file()
    }


def codelist_files():
    """Return the code lists and price indices."""
    return sorted(str(path) for path in Path("config/codelists").glob("*.csv"))


def index_files(entries):
    """Return the price indices that some definitions deflate by."""
    names = {
        entry.deflate.index
        for entry in entries
        if getattr(entry, "deflate", None) is not None
    }
    return [f"config/codelists/{name}.csv" for name in sorted(names)]


def register_codelists(wildcards):
    """Return the code lists that a register's columns are checked against."""
    columns = CONFIGURATION.sources[wildcards.register].columns.values()
    return [
        f"config/codelists/{name}.csv"
        for name in sorted({c.codelist for c in columns if c.codelist})
    ]


def panel_indices(wildcards):
    """Return the price indices of a panel's states."""
    names = checks.needed_states(DEFINITIONS, panel_states(wildcards.unit))
    return index_files(DEFINITIONS.states[name] for name in names)


def catalogue_files():
    """Return the pages that tell the definitions; they say nothing about people, whatever the class of the data."""
    return expand(
        "results/{evaluation}/release/catalogue.{language}.{ext}",
        evaluation=NAME,
        language=LANGUAGES,
        ext=["html", "md"],
    )


def aggregate_files():
    """Return the tidy files of every exhibit."""
    return expand(
        "results/{evaluation}/aggregates/{exhibit}.csv",
        evaluation=NAME,
        exhibit=EVALUATION.exhibits,
    )


def in_exhibits(names_of):
    """Return, in alphabetical order, the names that a function finds in the evaluation's exhibits."""
    return sorted(
        {
            found
            for name in EVALUATION.exhibits
            for found in names_of(DEFINITIONS.exhibits[name])
        }
    )


def all_panels():
    """Return the panels that some exhibit reads."""
    units = in_exhibits(lambda exhibit: exhibit.panels)
    return [f"results/{NAME}/person_level/panel_{unit}.parquet" for unit in units]


def run_files():
    """Return what every run says of itself."""
    names = [
        "flow.csv",
        "comparison.csv",
        "verify.csv",
        "provenance.json",
        "run_config.yaml",
    ]
    if EVALUATION.entry == "spells":
        names += ["quality.csv", "quality_rules.csv", "plan.csv"]
    if EVALUATION.synthetic is not None:
        names += ["calibration.csv"]
    files = expand("results/{evaluation}/run/{name}", evaluation=NAME, name=names)
    return files + [f"results/{NAME}/person_level/outcomes.parquet"]


def run_tables():
    """Return the tables of the run that the report shows."""
    return [path for path in run_files() if "/run/" in path]


def all_rendered():
    """Return the release files of every exhibit."""
    return [path for exhibit in EVALUATION.exhibits for path in rendered(exhibit)]


def release_files():
    """Return everything that may leave; nothing for a confidential evaluation while there is no disclosure control."""
    if not EVALUATION.releasable:
        return []
    reports = expand(
        "results/{evaluation}/release/report.{language}.html",
        evaluation=NAME,
        language=LANGUAGES,
    )
    return all_rendered() + bundle_files() + reports + catalogue_files()
