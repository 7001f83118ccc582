"""Real and reference trials through the workflow, held against their published and agreed numbers."""

import shutil

import numpy as np
import pandas as pd
import pytest

from support.workflow import change, copy_project, refino_eval

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory, shared):
    folder = copy_project(tmp_path_factory.mktemp("real") / "project")
    # It is numbers that are tried here; the other forms are tried elsewhere.
    change(folder / "config/config.yaml", "[csv, md, html, tex, docx, xlsx]", "[csv, html]")
    change(folder / "config/config.yaml", "[svg, png, pdf, csv]", "[svg]")
    change(folder / "config/config.yaml", "report: [html, docx]", "report: [html]")
    change(folder / "config/config.yaml", "bundles: [docx, xlsx]", "bundles: []")
    return folder


def numbers(project, evaluation, exhibit):
    path = project / f"results/{evaluation}/aggregates/{exhibit}.csv"
    frame = pd.read_csv(path, keep_default_na=False, na_values={"value": [""]}, dtype={"row": str})
    return frame.set_index(["panel", "row", "column", "statistic"])["value"]


def network_off():
    """A wrapper that takes the network away, where the machine allows it."""
    return ("unshare", "-rn") if shutil.which("unshare") else ()


def test_the_reference_trial_with_the_network_off(project, shared):
    done = refino_eval(project, "run", "--evaluation", "reference_trial", wrap=network_off())
    if "unshare" in done.stderr:
        done = refino_eval(project, "run", "--evaluation", "reference_trial")
    assert done.returncode == 0, done.stdout + done.stderr
    expected = pd.read_csv(shared / "reference_trial/expected.csv").set_index("quantity")["value"]
    got = numbers(project, "reference_trial", "reference_effects")["reference_linear", "treated", "y1"]
    assert got["estimate"] == pytest.approx(expected["coefficient on z"], rel=1e-9)
    assert got["std_error"] == pytest.approx(expected["se HC1 (N=4901 K=250)"], rel=1e-9)
    assert got["n"] == 4901
    robust, classical = (numbers(project, "reference_trial", f"reference_late{part}") for part in ("", "_iid"))
    taking_part = robust["reference_linear", "take_up", "y1"]
    assert taking_part["estimate"] == pytest.approx(expected["2SLS coefficient of d instrumented by z"], rel=1e-9)
    assert taking_part["std_error"] == pytest.approx(expected["2SLS se HC1"], rel=1e-9)
    first_stage = robust["reference_linear", "first_stage", "y1", "f_stat"]
    assert first_stage == pytest.approx(expected["first-stage F (HC1)"], rel=2e-8)
    for end in ("low", "high"):
        found = classical["reference_linear_iid", "take_up", "y1", f"ar_{end}"]
        assert found == pytest.approx(expected[f"AR 95% set homoskedastic {end}"], rel=3e-8)
    mix = robust["fall_back", "none", "fall_back", "estimate"]
    assert mix == pytest.approx(1, rel=1e-12), "without another programme everybody falls back on nothing"


def test_job_corps_from_weekly_spells(project, shared):
    done = refino_eval(project, "run", "--evaluation", "job_corps", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    target = pd.read_csv(shared / "jobcorps_lee2009/weekly_employment_itt.csv")
    weeks = [str(week) for week in target["week"]]
    paths = numbers(project, "job_corps", "job_corps_weeks")
    effects = numbers(project, "job_corps", "job_corps_weekly_effects")
    for column, name in (("control", "emp_control"), ("program", "emp_program")):
        obtained = np.array([paths["jc_employed", week, column, "mean"] for week in weeks])
        np.testing.assert_allclose(obtained, target[name], rtol=0, atol=1e-12)
    obtained = np.array([effects["jc_employed", week, "difference", "estimate"] for week in weeks])
    np.testing.assert_allclose(obtained, target["itt"], rtol=0, atol=1e-12)
    published = pd.read_csv(shared / "jobcorps_lee2009/published.csv")
    shares = numbers(project, "job_corps", "job_corps_week_shares")
    yearly = published[published["table"].str.startswith("share of weeks employed")]
    assert len(yearly) == 8
    for row in yearly.itertuples():
        statistic = {"coef": "estimate", "se": "std_error"}[row.stat]
        obtained = 100 * shares["none", "program", row.item.replace(" ", "_"), statistic]
        assert obtained == pytest.approx(row.obtained, rel=1e-5)
    assert (project / "results/job_corps/release/report.en.html").is_file()


def test_a_published_lottery_within_courses(project, shared):
    done = refino_eval(project, "run", "--evaluation", "akm2011", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    comparison = pd.read_csv(project / "results/akm2011/run/comparison.csv")
    assert len(comparison) == 110
    verdicts = comparison["verdict"].value_counts()
    # Seven of the paper's cells are cut off instead of rounded.
    assert verdicts.to_dict() == {"equal": 103, "last_digit": 7}


def test_bounds_on_wages_through_configuration_alone(project, shared):
    done = refino_eval(project, "run", "--evaluation", "job_corps_wages")
    assert done.returncode == 0, done.stdout + done.stderr
    comparison = pd.read_csv(project / "results/job_corps_wages/run/comparison.csv")
    assert len(comparison) == 9
    assert set(comparison["verdict"]) == {"equal"}
    kept, exact = (numbers(project, "job_corps_wages", f"job_corps_wage_bounds{part}") for part in ("", "_exact"))
    at = ("lee", "log_wage", "bounds")
    assert exact[(*at, "bound_low")] < kept[(*at, "bound_low")] < kept[(*at, "bound_high")] < exact[(*at, "bound_high")]
