"""Word and Excel files are zip archives that carry the time: written over without it, the same table is the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

EPOCH = datetime(2000, 1, 1)
"""The date in every archive; the run's record has the real one."""


FIRST_ZIP_DAY = (1980, 1, 1, 0, 0, 0)


LANGUAGE_TAGS = {"nb": "nb-NO", "en": "en-GB"}
"""What spelling checkers go by."""


NO_APPLICATION = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>'
)
"""What a file says of the program that wrote it, and of the program's template: nothing."""


NO_CHANGES: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({})


def timeless(package: bytes, changes: Mapping[str, Callable[[bytes], bytes]] = NO_CHANGES) -> bytes:
    """Return an Office file with the same content in the same order, and no trace of when it was written.

    Parameters
    ----------
    package
        A .docx or .xlsx file.
    changes
        What is to be changed in its parts, by name.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for old in source.infolist():
            content = source.read(old)
            if old.filename == "docProps/core.xml":
                stamp = EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
                content = re.sub(rb"<(dc:creator|cp:lastModifiedBy|cp:revision)>[^<]*</\1>", b"", content)
            elif old.filename == "docProps/app.xml":
                content = NO_APPLICATION
            if old.filename in changes:
                content = changes[old.filename](content)
            entry = zipfile.ZipInfo(old.filename, FIRST_ZIP_DAY)
            # Pictures are compressed already.
            entry.compress_type = zipfile.ZIP_STORED if old.filename.endswith(".png") else zipfile.ZIP_DEFLATED
            entry.create_system = 0
            entry.external_attr = 0
            target.writestr(entry, content)
    return out.getvalue()
