"""The numbers do not depend on how many threads the numerical libraries use: the same at every digit that is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

PROGRAM = """
import json, sys
import numpy as np
from refino_eval import estimation as est

rng = np.random.default_rng(4)
n = 5000
cells = rng.integers(0, 190, n)
z = (rng.random(n) < rng.uniform(0.2, 0.8, 190)[cells]).astype(float)
x = rng.standard_normal((n, 20))
d = (rng.random(n) < 0.1 + 0.6 * z).astype(float)
y = rng.standard_normal((n, 49)) + x[:, :1] + 0.1 * z[:, None]
told = []
for vcov in ("HC1", "HC2"):
    table = est.itt(y, z, cells=cells, controls=x, vcov=vcov)
    told += [table.estimate, table.std_error, table.p_value]
iv = est.late(y[:, :5], d, z, cells=cells, controls=x)
told += [iv.estimate, iv.std_error, iv.first_stage_f]
path = est.dynamics(y, z, times=np.arange(-24, 25), cells=cells, draws=5000, seed=1)
told += [path.band_low, path.band_high]
redrawn = est.randomisation_test(y[:, :5], z, cells=cells, draws=499, seed=1, vcov="HC2")
told += [redrawn.p_value]
print(json.dumps([np.asarray(each).tolist() for each in told]))
"""


def numbers(threads: int) -> list[np.ndarray]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return [np.array(each) for each in json.loads(done.stdout)]


def test_one_thread_and_two_give_the_same_to_ten_digits():
    for one, two in zip(numbers(1), numbers(2), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-13)
