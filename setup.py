"""Put into the wheel what projects share with the repository; everything else about the build is in pyproject.toml.

The rules of the workflow, their scripts, the schemas for editors, the code lists, the lock and the evaluations that serve as examples are kept once, at the top of the
repository. The build copies them into the package as `refino_eval/shipped`, where `workflow.shipped_files` finds them.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHIPPED = (
    "Snakefile",
    "workflow",
    "config/schemas",
    "config/codelists",
    "config/disclosure",
    "config/evaluations",
    "requirements/run.txt",
)


class BuildWithShippedFiles(build_py):
    """Build the package, with the shipped files in a folder of it; an editable installation reads the repository instead."""

    def run(self) -> None:
        """Build, and copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "refino_eval" / "shipped"
        shutil.rmtree(target, ignore_errors=True)
        for name in SHIPPED:
            destination = target / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, destination, ignore=shutil.ignore_patterns("__pycache__", ".*"))
            else:
                shutil.copy(ROOT / name, destination)


setup(cmdclass={"build_py": BuildWithShippedFiles})
