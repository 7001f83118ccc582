"""Numbers published in source documents, and their comparison with ours."""

from refino_eval.published.compare import HELD, VERDICTS, compare, compare_files, summarise
from refino_eval.published.relations import Relation, check_relations, load_relations
from refino_eval.published.score import score_table, scores_of
from refino_eval.published.source import load_source
from refino_eval.published.values import Printed, load_published, parse_printed

__all__ = [
    "HELD",
    "VERDICTS",
    "Printed",
    "Relation",
    "check_relations",
    "compare",
    "compare_files",
    "load_published",
    "load_relations",
    "load_source",
    "parse_printed",
    "score_table",
    "scores_of",
    "summarise",
]
