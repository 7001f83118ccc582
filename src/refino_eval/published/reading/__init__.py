"""Tables of papers and reports as they are delivered (CSV, HTML, Word, Excel, Markdown, text), read into published values."""

from refino_eval.published.reading.read_document import READERS, ReadDocument, read_document

__all__ = ["READERS", "ReadDocument", "read_document"]
