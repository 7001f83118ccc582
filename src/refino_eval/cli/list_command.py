"""`refino-eval list`: what there is to run and to use, one line each."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.config import load_configuration
from refino_eval.config.load import evaluation_names, project_root
from refino_eval.errors import UserError


def entries(what: str, evaluation: str | None) -> Iterator[str]:
    """Yield a line for each entry: its name and its English label.

    Parameters
    ----------
    what
        `evaluations`, `registers`, or a kind of definition.
    evaluation
        The evaluation whose definitions and registers are listed; None for the one that `config/config.yaml` names.
    """
    root = project_root()
    if what == "evaluations":
        for name in evaluation_names(root):
            try:
                study = load_configuration(root, evaluation=name).evaluation
            except UserError as error:
                yield f"{name:<24}{len(error.problems)} problem(s); see: refino-eval check --evaluation {name}"
                continue
            yield f"{name:<24}{study.label.en} ({study.data_class}, entry {study.entry})"
        return
    configuration = load_configuration(root, evaluation=evaluation)
    if what == "registers":
        for name, source in configuration.sources.items():
            yield f"{name:<24}{source.label.en} ({source.owner})"
        return
    selected = set(configuration.evaluation.exhibits)
    for name, entry in sorted(getattr(configuration.definitions, what).items()):
        label = getattr(entry, "title", None) or entry.label
        mark = " *" if name in selected else ""
        yield f"{name:<32}{label.en}{mark}"
