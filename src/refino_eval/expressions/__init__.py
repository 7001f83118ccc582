"""The small language of definitions: parsed once (`language`), with back ends for arrays, SQL and words."""

from refino_eval.expressions.expression_tree import Call, Constant, Kind, Name, Tree, kind_of
from refino_eval.expressions.language import RESERVED, names_in, parse

__all__ = ["RESERVED", "Call", "Constant", "Kind", "Name", "Tree", "kind_of", "names_in", "parse"]
