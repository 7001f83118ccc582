"""The scanner names what must not leave, in every kind of file, and passes what the program writes."""

import io
import struct
import zipfile
import zlib

import pytest

from refino_eval.exhibits.formats.excel import to_excel
from refino_eval.exhibits.formats.word import to_word
from refino_eval.exhibits.render import laid_out, render
from refino_eval.release.package_scan import duplicates, is_birth_number, package_problems
from refino_eval.release.release_scan import scan
from support import exhibits as toy

BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
HOME = "/" + "/".join(["home", "kari"])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def office(name, text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"Software\0matplotlib"), "metadata"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + chunk(b"tIME", b"\x07\xe7\1\1\1\1\1"), "metadata"),
        ("a.pdf", b"%PDF-1.4 << /CreationDate (D:2026) >>", "metadata"),
        ("a.svg", b"<svg><metadata>x</metadata></svg>", "metadata"),
        ("a.html", b'<meta name="generator" content="x">', "metadata"),
        ("a.docx", office("docProps/core.xml", "<dc:creator>Kari</dc:creator>"), "metadata"),
        ("a.xlsx", office("docProps/app.xml", "<Application>Excel</Application>"), "metadata"),
        ("a.csv", f"a\n{HOME}/data.csv\n".encode(), "a path of a machine"),
        ("a.md", b"C:\\\\Users", "a path of a machine"),
        ("a.csv", b"x,1\nperson_0042,3\n", "the id of a person"),
        ("a.md", b"Women (n = 3)", "a count of fewer than 5 people"),
        ("a.md", b"Utvalget har 2 personer.", "a count of fewer than 5 people"),
        ("run.log", b"x", "files of this kind (.log)"),
        ("a.csv", b"", "the file is empty"),
    ],
)  # fmt: skip
def test_what_must_not_leave_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    problems = scan(tmp_path, ids=["person_0042", "17"], threshold=5)
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}: ")
    assert said in problems[0]


def test_what_the_program_writes_is_clean(tmp_path):
    figure = next(name for name in FRAMES if EXHIBITS[name].form == "figure")
    facts = {"data_class": "confidential", "profile": "ssb"}
    for name in ("table_8_1", figure):
        render(
            name,
            EXHIBITS[name],
            FRAMES[name],
            labels=BOOK,
            language="en",
            tables_dir=tmp_path,
            figures_dir=tmp_path,
            facts=facts,
        )
    assert len(list(tmp_path.iterdir())) >= 9
    (tmp_path / "thousands.tex").write_text("N = 2\\,327, n = 1&#8239;826, 4,898 people")
    assert scan(tmp_path, ids=["0.0163", "123456"], threshold=5) == []


def test_office_files_name_no_program():
    laid = laid_out("table_8_1", EXHIBITS["table_8_1"], FRAMES["table_8_1"], labels=BOOK, language="en", facts={})
    for content in (to_word(laid.page), to_excel(laid.page, laid.numbers)):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            properties = b"".join(package.read(name) for name in package.namelist() if name.startswith("docProps/"))
        assert b"Microsoft" not in properties
        assert b"python-docx" not in properties


def test_a_package_with_personal_data_paths_or_empty_files_is_refused(tmp_path):
    for name, text in {
        "ok.csv": "a,b\n1,2\n", "fnr.csv": "fnr,b\n1,2\n", "birth.csv": "x\n01010050053\n", "path.py": f"x = '{HOME}/x'\n",
        "empty.md": "\n", "data/synthetic/toy/x.csv": "x\n01010050053\n",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "__init__.py").touch()
    assert is_birth_number("01010050053")
    problems = "\n".join(package_problems(tmp_path))
    assert all(f"written: {name}" in problems for name in ("fnr.csv", "birth.csv", "path.py", "empty.md"))
    assert problems.count("\n") == 3
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("same " * 20)
    assert duplicates(tmp_path) == [["a.txt", "b.txt"]]
