"""The recipe of a synthetic register: everything about a study that the generator needs.

The generator's code does not depend on one study: areas, arms, levels, effects, faults, file formats and codes are in
`config/synthetic/<name>.yaml`, which these models describe. Published targets are in the recipe too, so that the
calibration report can judge a delivery by numbers that the generator does not use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from refino_eval.config.base import Name, Strict
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError, nearest

Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
"""A calendar month, yyyy-mm."""
Share = Annotated[float, Field(ge=0, le=1)]
Curve = Annotated[dict[int, float], Field(min_length=1)]
"""Values at event months, joined by straight lines and constant beyond the ends."""
MonthCurve = Annotated[dict[Month, float], Field(min_length=1)]
"""Values at calendar months, joined by straight lines and constant beyond the ends."""

EffortCodes = tuple[str, ...] | dict[str, float]
"""Effort groups that are equally frequent, or with relative frequencies."""

STATES = ("any_wage", "at_least_4h", "half_time", "full_time")
"""The nested monthly states whose levels and effects a recipe gives, from the widest to the narrowest."""


class ArmRecipe(Strict):
    """One arm: its name, its code in the file of draws, and the programme that it offers."""

    name: Name = Field(description="The arm's name, as in the evaluation.")
    code: str = Field(description="The value written in the file of draws.")
    programme: str = Field(description="The programme's code in the register of programmes.")
    start_share: Share = Field(description="Share that starts the arm's own programme when assigned to the arm.")
    start_on: dict[Name, float] = Field(
        default={}, description="How traits move the share (a trait centred at its mean): probability per unit."
    )
    start_by_month: dict[int, float] = Field(
        description="Of those who start, the share that has started by the end of each event month; the last is 1."
    )
    mean_duration: float = Field(gt=1, description="Mean length of a participation, in months of 30.4375 days.")
    exit_bumps: dict[int, Share] = Field(
        default={}, description="Extra chance of leaving after so many months (the end of a phase, a renewal)."
    )
    longest: int = Field(default=36, description="Longest participation, in months.")
    other_share: Share = Field(description="Share of the arm that takes the other arm's programme instead of its own.")


class Arms(Strict):
    """The two arms of the trial."""

    treated: ArmRecipe = Field(description="The arm whose effect is estimated.")
    control: ArmRecipe = Field(description="The control arm.")


class Area(Strict):
    """One area of the trial with its offices and its draw probability over time."""

    name: str = Field(description="The text in the file of draws.")
    size: float = Field(gt=0, description="The area's relative size.")
    first: Month = Field(description="The first month with draws.")
    last: Month | None = Field(default=None, description="The last month with draws; default: the trial's.")
    offices: tuple[str, ...] = Field(min_length=1, description="Office numbers, four digits kept as text.")
    municipalities: tuple[str, ...] = Field(min_length=1, description="Municipality numbers, four digits kept as text.")
    share_treated: MonthCurve = Field(description="Draw probability of the treated arm, before the common shift.")


class Extra(Strict):
    """People and draws in addition to those analysed, which the sample flow must exclude."""

    areas: tuple[Area, ...] = Field(default=(), description="Areas that left the trial.")
    area_people: int = Field(default=0, ge=0, description="People drawn in those areas.")
    repeated_draws: int = Field(default=0, ge=0, description="People drawn a second time later.")
    outside_months: tuple[Month, ...] = Field(
        default=(), description="Months outside the period in which some were drawn."
    )
    outside_people: int = Field(default=0, ge=0, description="People drawn in those months.")
    no_demography: int = Field(
        default=0, ge=0, description="People of the analysed without a row in the persons register."
    )
    no_income_row: int = Field(
        default=0, ge=0, description="People of the analysed without an income row the year before."
    )
    not_drawn_share: Share = Field(
        default=0.0, description="People in the registers but never drawn, per person analysed."
    )


class Persons(Strict):
    """Characteristics of the people."""

    female: Share = Field(description="Share of women.")
    sex_codes: tuple[str, str] = Field(description="Codes of woman and man.")
    categories: dict[str, Share] = Field(description="Immigrant category -> share; they add up to 1.")
    immigrant: tuple[str, ...] = Field(description="Categories that count as immigrant background.")
    arrived: tuple[str, ...] = Field(
        description="Categories of people who came from abroad and started work here later."
    )
    age_mean: float = Field(description="Mean age at the draw, years.")
    age_sd: float = Field(gt=0, description="Standard deviation of age.")
    age_range: tuple[float, float] = Field(description="Youngest and oldest.")
    age_groups: tuple[tuple[float, float, Share], ...] = Field(
        default=(), description="Instead of mean and sd: age from, age below, share; ages are even within a group."
    )
    aap: Share | None = Field(
        default=None,
        description="Share on work assessment allowance among people with reduced capacity, instead of benefits.aap_share; it is then a "
        "trait, which work.traits may name.",
    )
    age_on_draw_share: float = Field(default=0.0, description="Years of age per unit of a cell's draw probability.")
    work_start: tuple[float, float] = Field(description="Mean and sd of the age at the first year of income.")
    work_years: tuple[float, float] = Field(description="Beta parameters of the share of years with income since then.")
    work_years_arrived: tuple[float, float] = Field(description="The same for people who came from abroad.")
    arrival: tuple[float, float] = Field(description="Beta parameters of the part of life before arrival, for them.")
    reduced_capacity: Share = Field(description="Share with reduced work capacity at the draw.")
    capacity_on_age: float = Field(default=0.0, description="Correlation of reduced capacity (latent) with age.")
    diagnosis: tuple[Share, Share] = Field(description="Share with a diagnosis without and with reduced capacity.")
    diagnosis_codes: dict[str, Share] = Field(description="Diagnosis code -> share among diagnoses; they add up to 1.")
    psychiatric: str = Field(description="Beginning of the codes of psychiatric diagnoses.")


class SeriesRecipe(Strict):
    """A number for each municipality and month, which has nothing to do with anybody's work."""

    column: Name = Field(description="The column of numbers, written as hundredths.")
    mean: float = Field(gt=0, description="Mean over places and months.")
    between: float = Field(ge=0, description="Sd between places.")
    within: float = Field(ge=0, description="Sd between months of a place.")


class EntryCohort(Strict):
    """People who enter in a period, exactly."""

    first: Month = Field(description="First month.")
    last: Month = Field(description="Last month.")
    treated: int = Field(ge=1, description="How many enter the treated arm.")
    control: int = Field(ge=1, description="How many enter the control arm.")

    @model_validator(mode="after")
    def _ordered(self) -> EntryCohort:
        if self.last < self.first:
            raise ValueError(f"the last month, {self.last}, is before the first, {self.first}")
        return self


class Entries(Strict):
    """People who enter the programmes by themselves instead of being drawn: how many, for how long, and what else they do."""

    cohorts: tuple[EntryCohort, ...] = Field(min_length=1, description="Numbers by period; they add up to `people`.")
    stay: tuple[Curve, Curve] = Field(
        description="Share still in the programme in each event month, treated and control; 1 in month 1."
    )
    during: dict[str, tuple[Share, Share]] = Field(
        default={},
        description="Programme -> share of the treated and of the control arm that takes part in it during the stay.",
    )
    with_work: dict[str, tuple[Share, Share]] = Field(
        default={},
        description="Programme -> share of those in work in month 12, treated and control, who take part in it around then.",
    )
    earlier_programme: str = Field(description="Code of a programme that keeps people from counting as entering.")
    again: Share = Field(default=0.0, description="Share that enters a second time later.")


class ValueRange(Strict):
    """An interval of a trait that is a number."""

    at_least: float | None = Field(default=None, description="Smallest value of the group.")
    below: float | None = Field(default=None, description="Values of the group are smaller than this.")


TRAITS = ("female", "immigrant", "reduced_capacity", "aap", "diagnosis", "age", "treated")
"""Traits of people that groups may be made of, in addition to facts, which are named `register.column`."""


class WorkGroup(Strict):
    """A group of people among whom work is more or less common than among others."""

    where: dict[str, bool | ValueRange | Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        min_length=1,
        description="Trait, or `register.column` of a fact -> yes or no, an interval of numbers, or codes; all must hold.",
    )
    change: Curve = Field(description="By event month: change of the share in work.")


class Work(Strict):
    """Employment month by month: levels, persistence, hours, wages."""

    levels: dict[Name, Curve] = Field(description="Share in each nested state by event month (untreated history).")
    gap: Curve | None = Field(
        default=None,
        description="By event month: how much more common each state is among those who entered the treated arm, where they were not "
        "drawn; no effect of it.",
    )
    groups: tuple[WorkGroup, ...] = Field(
        default=(),
        description="Groups with more or less work, in both arms alike. Changes add up and are taken from their mean in the control "
        "arm, so that the levels stay what they are; states of more hours change in proportion.",
    )
    traits: dict[Name, float] = Field(description="Weight of each trait (in sd) in the propensity to work.")
    trait_share: Share = Field(description="Share of the propensity's variance that the traits explain.")
    fixed_share: Share = Field(description="Share of the propensity's variance that is permanent.")
    hours_fixed_share: Share = Field(
        description="Share of the variance of the inclination to long hours that is fixed."
    )
    renewal: Share | Curve = Field(
        description="Chance each month that a person's situation is drawn anew; or by event month."
    )
    keep_employer: Share = Field(
        description="Chance that somebody employed before and after a renewal stays with the employer."
    )
    unpaid_month: Share = Field(description="Share of months in a job without any wage.")
    no_job_row: Share = Field(description="Share of wage-only work: paid, but in no registered job.")
    hours: dict[Name, dict[float, float]] = Field(description="Agreed hours in each state -> relative frequency.")
    second_job: Curve = Field(
        description="Share of half- and full-time workers with a second employer, by event month."
    )
    third_job: Curve = Field(description="Share of them with a third employer too, by event month.")
    second_hours: dict[float, float] = Field(
        description="Hours of such jobs as a share of the main job's -> frequency."
    )
    second_paid: Share = Field(description="Share of such jobs that pay in a month.")
    monthly_wage: float = Field(gt=0, description="Median monthly wage in full-time work, kroner of the base year.")
    small_wage: float = Field(gt=0, description="Median monthly wage in work of few or no agreed hours.")
    wage_sd: tuple[float, float, float] = Field(description="Sd of the log wage between people, jobs and months.")
    occupations: dict[str, float] = Field(description="Occupation codes -> relative frequency.")
    permanent: Share = Field(description="Share of jobs that are permanent.")
    contract_codes: tuple[str, str] = Field(description="Codes of permanent and temporary.")
    full_week: float = Field(default=37.5, gt=0, description="Hours of a full week, for the position's percentage.")


class Benefits(Strict):
    """Registrations and benefits: rates, lengths in months, and what a month pays."""

    status_codes: tuple[str, str] = Field(description="Registered as job seeker; with reduced work capacity.")
    effort_codes: tuple[EffortCodes, EffortCodes] = Field(
        description="Effort groups of the two: a list of equally frequent ones, or group -> relative frequency."
    )
    registered_before: float = Field(gt=0, description="Mean months registered before the draw.")
    registered_after: float = Field(gt=0, description="Mean months registered after the draw.")
    aap_share: Share = Field(description="Share of people with reduced capacity on work assessment allowance.")
    aap_months: tuple[float, float] = Field(description="Mean months before and after the draw.")
    aap_codes: tuple[str, str] = Field(description="Ordinary and extended decision.")
    sickness_share: Share = Field(description="Share of those with sickness benefit before it.")
    unemployment_share: Share = Field(description="Share of job seekers on unemployment benefit.")
    unemployment_months: tuple[float, float] = Field(description="Mean months before and after the draw.")
    unemployment_codes: tuple[str, str] = Field(description="Ordinary unemployment and temporary lay-off.")
    disability_share: tuple[Share, Share] = Field(description="Disability benefit before and after the draw.")
    disability_months: float = Field(
        default=12.0, gt=0, description="Mean months from half a year after the draw until disability benefit begins."
    )
    monthly: tuple[float, float, float] = Field(
        description="Kroner of the base year a month: aap, sickness, unemployment."
    )


class Enrolments(Strict):
    """Enrolments in education, which have nothing to do with the assignment."""

    share: Share = Field(description="Share of the people who are enrolled at some time.")
    begin: tuple[float, float] = Field(description="Earliest and latest begin, months from assignment.")
    months: float = Field(gt=0, description="Mean length in months.")
    levels: dict[int, Share] = Field(min_length=1, description="Level of the education -> share; they add up to 1.")


class Incomes(Strict):
    """Yearly incomes in addition to wages and benefits."""

    first_year: int = Field(description="The register's first year.")
    other_work_share: tuple[Share, Share] = Field(
        description="Share of years with occupational income in addition to wages: in years without wages, and with."
    )
    other_work: tuple[float, float] = Field(description="Mean and sd of it, in the price unit.")
    other_benefit_share: Share = Field(description="Share of years with other pensionable income.")
    other_benefit: tuple[float, float] = Field(description="Mean and sd of it, in the price unit.")
    support_ends_at: float = Field(gt=0, description="Occupational income (price unit) at which no support is left.")
    growth: float = Field(description="Yearly growth of nominal incomes before the registers' first year.")


class Prices(Strict):
    """A yearly price index."""

    base_year: int = Field(description="The year in whose prices amounts are reported.")
    unit: float = Field(gt=0, description="Kroner per reported unit.")
    index: dict[int, float] = Field(description="Year -> index.")


class Effects(Strict):
    """Planted ITT effects on the share in each state, by event month; they occur among those who have started."""

    states: dict[Name, Curve] = Field(default={}, description="State -> ITT effect by event month (share).")
    wage: Curve = Field(default={0: 0.0}, description="Relative ITT effect on the wage of those in work.")
    benefits: dict[Literal["aap", "sickness", "unemployment", "disability"], Curve] = Field(
        default={},
        description="Benefit -> effect on the share of the treated arm that receives it, by event month; from month 1 on.",
    )
    hidden: float = Field(
        default=0.0,
        description="By how much (in sd) a trait that is in no register is more common in the treated arm, where people were not drawn; "
        "work.traits gives its weight as `hidden`.",
    )
    by: Name | None = Field(default=None, description="A 0/1 trait by which the effects differ.")
    factor: tuple[float, float] = Field(
        default=(1.0, 1.0), description="Factor on the effects where the trait is 0 and 1."
    )

    @model_validator(mode="after")
    def _known(self) -> Effects:
        unknown = [name for name in self.states if name not in STATES]
        if unknown:
            raise ValueError(f"effects name the state '{unknown[0]}'.{nearest(unknown[0], STATES)}")
        return self


class Mess(Strict):
    """Rates of planted faults (share of a register's rows, unless stated otherwise)."""

    duplicates: Share = Field(default=0.0, description="Rows repeated exactly.")
    same_employer: Share = Field(
        default=0.0, description="Jobs with an overlapping second registration at the same employer."
    )
    absurd_hours: Share = Field(default=0.0, description="Junk job rows with impossible hours.")
    lost_decimal: Share = Field(
        default=0.0, description="Jobs first delivered with ten times the hours, then corrected."
    )
    corrected_end: Share = Field(
        default=0.0, description="Jobs first delivered with a wrong or no end, then corrected."
    )
    taken_back: Share = Field(
        default=0.0,
        description="Jobs that did not exist: delivered, and withdrawn by a correction that ends before it begins.",
    )
    stop_before_start: Share = Field(default=0.0, description="Junk spells that end before they start.")
    missing_start: Share = Field(default=0.0, description="Junk spells without a start.")
    outside_coverage: Share = Field(default=0.0, description="Junk spells that ended before the registers begin.")
    no_show: Share = Field(default=0.0, description="Share of people who never started who have a no-show row.")
    open_ends: Share = Field(default=0.0, description="Jobs first delivered without an end, then corrected.")
    future_dates: Share = Field(default=0.0, description="Junk spells that begin after the registers end.")
    unknown_codes: Share = Field(default=0.0, description="Junk rows with a code that is in no list.")
    broken_lines: Share = Field(default=0.0, description="Junk lines of text files with a field too few.")
    missing_ids: Share = Field(default=0.0, description="Junk lines of text files without an id.")
    bad_dates: Share = Field(default=0.0, description="Junk lines of text files with an invalid date.")


class FileColumn(Strict):
    """One delivered column."""

    name: str = Field(description="The delivered name.")
    type: Literal[
        "id", "digits", "serial", "code", "date", "integer", "hundredths", "ore", "kroner", "month", "year"
    ] = Field(
        description="How values are written; digits is a number kept as text of one width; serial likewise, shuffled; ore is a decimal number of kroner, kroner a whole one."
    )
    date_format: str = Field(default="%Y-%m-%d", description="For dates.")
    width: int = Field(default=8, ge=1, le=18, description="Number of digits, for id and digits; zeros lead.")
    listed: bool = Field(
        default=False, description="For code: a code list knows the codes, so that one can be unknown."
    )


class RegisterFile(Strict):
    """The form in which one register is delivered."""

    file: str = Field(description="File name.")
    corrections: str | None = Field(
        default=None, description="Name of the later file that delivers corrected rows anew."
    )
    format: Literal["csv", "parquet", "dta", "sav"] = Field(default="csv", description="Kind of file.")
    encoding: Literal["utf-8", "latin-1"] = Field(default="utf-8", description="Of a text file.")
    delimiter: str = Field(default=";", description="Of a text file.")
    decimal: Literal[",", "."] = Field(default=".", description="Of a text file.")
    columns: dict[Name, FileColumn] = Field(description="Name inside the program -> delivered column, in order.")


class TruthOutcome(Strict):
    """One outcome whose two potential values are saved for every person."""

    state: Name = Field(
        description="wage, any_wage, employed, weekly_hours, weekly_hours_main_job, or a threshold's name."
    )
    window: tuple[int, int] = Field(description="First and last event month summed.")


class Target(Strict):
    """One published number that a delivery is compared with."""

    moment: str = Field(description="What is computed from the written files; the calibration module lists the forms.")
    source: str = Field(description="Where it is published.")
    value: float = Field(description="The number.")
    unit: float = Field(default=0.0, ge=0, description="One unit of the last published digit; 0: exact.")
    tolerance: float | None = Field(
        default=None,
        description="What the published number leaves open, to which the sampling error is added; default: half a unit.",
    )
    why: str = Field(default="", description="Reason for a different tolerance.")


class Recipe(Strict):
    """A whole synthetic register."""

    name: Name = Field(description="The recipe's name: that of its file.")
    title: str = Field(description="What it imitates, in a line.")
    seed: int = Field(ge=0, description="Default seed.")
    people: int = Field(ge=20, description="People analysed, by default.")
    treated: int = Field(ge=1, description="How many of them are assigned to the treated arm, exactly.")
    block_people: int = Field(default=5_000, ge=100, description="People made and written at a time.")
    first: dt.date = Field(description="First day that the registers cover.")
    last: dt.date = Field(description="Last day that the registers cover.")
    draw_last: Month = Field(description="Last month with draws.")
    volume: MonthCurve = Field(description="Relative number of draws by month.")
    draw_noise: float = Field(ge=0, description="Sd of the cells' own deviation in draw probability (log odds).")
    arms: Arms = Field(description="The arms.")
    areas: tuple[Area, ...] = Field(min_length=1, description="The areas analysed.")
    extra: Extra = Field(default=Extra(), description="People and draws that are not analysed.")
    cells: Literal["area_month", "area"] = Field(
        default="area_month", description="Within what the assignment was random: area x month, or area."
    )
    persons: Persons = Field(description="Traits; with persons_of_treated those of the control arm.")
    persons_of_treated: Persons | None = Field(
        default=None, description="Traits of those who enter the treated arm, where they were not drawn."
    )
    entries: Entries | None = Field(default=None, description="Entry without assignment, in place of draws.")
    facts: dict[Name, dict[Name, Annotated[dict[str, tuple[Share, Share]], Field(min_length=1)]]] = Field(
        default={},
        description="Register of facts -> column -> code -> its share of the treated and of the control arm, hit exactly.",
    )
    enrolments: Enrolments | None = Field(
        default=None, description="Enrolments, delivered as the register `education`."
    )
    series: dict[Name, SeriesRecipe] = Field(default={}, description="Register of a series -> its numbers.")
    work: Work = Field(description="Employment and wages.")
    benefits: Benefits = Field(description="Benefits and registrations.")
    incomes: Incomes = Field(description="Yearly incomes.")
    prices: Prices = Field(description="Price index.")
    programme_status: dict[Literal["completed", "left", "ongoing", "no_show"], str] = Field(
        description="Codes of status."
    )
    other_programmes: dict[str, float] = Field(default={}, description="Other programmes -> mean number per person.")
    effects: dict[Name, Effects] = Field(description="Presets by name.")
    default_effects: Name = Field(default="published", description="The preset used by default.")
    mess: Mess = Field(default=Mess(), description="Rates of disorder.")
    thresholds: dict[Name, float] = Field(description="State -> least weekly hours in one job.")
    truth: dict[Name, TruthOutcome] = Field(description="Outcomes of the truth files.")
    registers: dict[Name, RegisterFile] = Field(description="The files.")
    targets: tuple[Target, ...] = Field(default=(), description="What the delivery is judged by.")

    @model_validator(mode="after")
    def _coherent(self) -> Recipe:
        parts = (self._size_faults, self._preset_faults, self._share_faults, self._group_faults, self._price_faults)
        if faults := [fault for part in parts for fault in part()]:
            raise ValueError("; ".join(faults))
        return self

    def _size_faults(self) -> Iterator[str]:
        """Yield contradictions between the numbers of people."""
        if self.entries is not None:
            total = sum(cohort.treated + cohort.control for cohort in self.entries.cohorts)
            treated = sum(cohort.treated for cohort in self.entries.cohorts)
            if (total, treated) != (self.people, self.treated):
                yield f"entries.cohorts add up to {total} people, {treated} treated: not to `people` and `treated`"
        if self.treated >= self.people:
            yield f"treated ({self.treated}) must be fewer than people ({self.people})"

    def _preset_faults(self) -> Iterator[str]:
        """Yield faults of the preset of effects and of the states that it acts on."""
        if self.default_effects not in self.effects:
            yield f"default_effects: no preset '{self.default_effects}'.{nearest(self.default_effects, self.effects)}"
        if set(self.work.levels) != set(STATES):
            yield f"work.levels gives exactly the states {', '.join(STATES)}"

    def _share_faults(self) -> Iterator[str]:
        """Yield distributions of traits whose shares do not add up."""
        distributions = {"categories": self.persons.categories, "diagnosis_codes": self.persons.diagnosis_codes}
        for name, shares in distributions.items():
            if abs(sum(shares.values()) - 1) > 1e-6:
                yield f"persons.{name} must add up to 1, not {sum(shares.values()):g}"

    def _group_faults(self) -> Iterator[str]:
        """Yield groups of facts that do not exist, and facts whose shares do not add up."""
        facts = {
            f"{register}.{column}": codes
            for register, columns in self.facts.items()
            for column, codes in columns.items()
        }
        names = {*TRAITS, *facts}
        for name in (name for group in self.work.groups for name in group.where if name not in names):
            yield f"work.groups: no trait or fact '{name}'.{nearest(name, names)}"
        for name, codes in facts.items():
            if any(abs(sum(pair[arm] for pair in codes.values()) - 1) > 1e-3 for arm in (0, 1)):
                yield f"facts.{name}: the shares of each arm must add up to 1"

    def _price_faults(self) -> Iterator[str]:
        """Yield a price index with gaps."""
        years = {self.prices.base_year, *range(self.first.year, self.last.year + 1)}
        if years - set(self.prices.index):
            yield "prices.index must hold the base year and every year that the registers cover"

    def preset(self, effects: str | Effects | None) -> tuple[str, Effects]:
        """Return the chosen effects and their name."""
        if isinstance(effects, Effects):
            return "own", effects
        name = effects or self.default_effects
        if name not in self.effects:
            raise UserError(f"Recipe '{self.name}' has no effects preset '{name}'.{nearest(name, self.effects)}")
        return name, self.effects[name]


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Parameters
    ----------
    path
        A YAML file, usually in `config/synthetic`.

    Returns
    -------
    Recipe
        Checked.

    Raises
    ------
    UserError
        With a paragraph for each fault.
    """
    return validate(read_yaml(path, path.name), Recipe, path.name)
