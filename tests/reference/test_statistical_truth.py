"""The page docs/statistical_truth.md: what it says is found again in fewer redraws, and it is the page that the program writes."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def truth():
    spec = importlib.util.spec_from_file_location("truth", ROOT / "benchmarks" / "truth.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["truth"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_rates_are_kept_and_those_of_the_page(truth):
    found = truth.main(150)
    assert [one.claim for one in found if not one.kept] == []
    page = (ROOT / "docs" / "statistical_truth.md").read_text(encoding="utf-8")
    told = {
        claim.strip(): (float(rate), float(error))
        for claim, rate, error in re.findall(r"^\| ([^|]+) \| [^|]+ \| ([.\d]+) \(([.\d]+)\)", page, flags=re.M)
    }
    assert list(told) == [one.claim for one in found]
    for one in found:
        rate, error = told[one.claim]
        assert abs(one.found - rate) <= 4 * (one.error**2 + error**2) ** 0.5, one.claim


def test_a_rate_that_is_not_kept_is_reported(truth):
    import numpy as np

    hits = np.array([True] * 70 + [False] * 30)
    assert truth.rate("x", hits, ".95", 0.94, 0.96).kept is False
    assert truth.rate("x", hits, ".70", 0.70, 0.70).kept is True
    assert "| x | .95 | 0.700 (0.046) | 100 |" in truth.page([truth.rate("x", hits, ".95", 0.94, 0.96)])
