"""Everything a user reads, in one place: texts by key, in both languages, with named placeholders and plural forms."""

from refino_eval.text.catalogue import Catalogue, catalogue, say, say_if_any, texts_of

__all__ = ["Catalogue", "catalogue", "say", "say_if_any", "texts_of"]
