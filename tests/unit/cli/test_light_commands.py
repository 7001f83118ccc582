"""Commands that compute nothing load none of the libraries for computing, so that they answer at once."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NUMBERS = {"numpy", "pandas", "pyarrow", "duckdb"}
STATISTICS = {"scipy", "statsmodels", "linearmodels", "pyhdfe"}
OUTPUT = {"matplotlib", "docx", "openpyxl", "jinja2"}
COMMAND = """
import sys
from refino_eval.cli.main import app
try:
    app({words})
finally:
    print("loaded:", *sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""
PLAN = """
import sys
from pathlib import Path
from refino_eval.workflow import Workflow
workflow = Workflow.load(Path("."), "refino")
workflow.files.aggregates(), workflow.params.study()
print("loaded:", *sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def loaded(program):
    """Run a program in a process of its own, and return the names of the packages that it loaded."""
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    line = next((line for line in result.stderr.splitlines() if line.startswith("loaded:")), "")
    assert line, result.stderr
    return set(line.split())


@pytest.mark.parametrize("words", [["--help"], ["list", "exhibits"], ["texts"]], ids=" ".join)
def test_reading_commands_load_no_library_for_computing(words):
    assert loaded(COMMAND.format(words=words)) & (NUMBERS | STATISTICS | OUTPUT) == set()


def test_check_loads_no_statistics_and_no_drawing():
    assert loaded(COMMAND.format(words=["check"])) & (STATISTICS | OUTPUT) == set()


def test_planning_a_run_loads_no_library_for_computing():
    packages = loaded(PLAN)
    assert "pydantic" in packages, "the configuration is read"
    assert packages & (NUMBERS | STATISTICS | OUTPUT) == set()


def test_an_estimate_loads_statistics_only_where_they_are_used():
    program = "import sys; import refino_eval.exhibits.aggregate; print('loaded:', *sys.modules, file=sys.stderr)"
    packages = loaded(program)
    assert packages & {"statsmodels", "linearmodels", "pyhdfe", "scipy.stats", "matplotlib", "duckdb"} == set()


def test_reading_an_exhibit_imports_the_model_of_its_kind_alone():
    program = """
import sys
from refino_eval.config.definitions import Definitions
Definitions.model_validate({"exhibits": {"main": {"kind": "flow", "title": {"nb": "Utvalget", "en": "The sample"}}}})
models = [name for name in sys.modules if name.startswith("refino_eval.exhibits.kinds.") and name.endswith(".model")]
print("loaded:", *models, file=sys.stderr)
"""
    assert loaded(program) == {"loaded:", "refino_eval.exhibits.kinds.flow.model"}
