"""`refino-eval audit`: forms, files and exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from refino_eval.cli.main import app
from refino_eval.published.audit import CERTAINTIES

HEAD = "exhibit,panel,row,column,statistic,printed,qualifier,source_line\n"
WRONG = 't,,a,e,estimate,"-0,7<b>",,7\n'.replace("<b>", "") + 't,,a,e,t_stat,"(0,68)",,7\n'


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "paper.csv"
    path.write_text(HEAD + WRONG, encoding="utf-8")
    return path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", *arguments])
    return result.exit_code, result.output


def test_findings_fail_the_command_only_if_strict(paper: Path) -> None:
    code, text = run(str(paper))
    assert code == 0
    assert "paper: 2 published numbers read; 1 certain" in text
    assert "different signs" in text
    assert run(str(paper), "--strict")[0] == 1
    paper.write_text(HEAD + WRONG.replace("(0,68)", "(-0,68)"), encoding="utf-8")
    code, text = run(str(paper), "--strict")
    assert (code, "no findings" in text) == (0, True)


def test_relations_next_to_the_file_are_read(paper: Path) -> None:
    beside = paper.with_name("paper.relations.yaml")
    beside.write_text("- kind: explained\n  why: Known.\n  of: ['*/*/*/*/*']\n  rule: t_stat\n", encoding="utf-8")
    assert "no findings" in run(str(paper))[1]
    beside.write_text("- kind: nothing\n", encoding="utf-8")
    code, text = run(str(paper))
    assert (code, "entry 1" in text) == (2, True)


def test_every_form_in_both_languages(paper: Path, tmp_path: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(run(str(paper), "--format", "csv")[1]))
    assert (row["rule"], row["certainty"], row["printed"], row["fits"]) == ("t_stat", "certain", "-0,7; (0,68)", "0.7")
    assert "ulikt fortegn" in row["explanation_nb"]
    out = tmp_path / "out" / "audit.html"
    assert run(str(paper), "--format", "html", "--language", "nb", "--out", str(out))[0] == 0
    page = out.read_text(encoding="utf-8")
    assert '<html lang="nb">' in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("http-equiv", "")
    text = run(str(paper), "--format", "md", "--language", "nb")[1]
    assert "| t › a › e › estimat | t-verdi | sikkert |" in text
    assert text == run(str(paper), "--format", "md", "--language", "nb")[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.csv"], "no such file"),
        (["refino_2032"], "Did you mean"),
        (["x.csv", "--format", "pdf"], "--format: unknown value 'pdf'"),
    ],
)
def test_invalid_arguments_of_the_audit_are_reported(arguments: list[str], told: str) -> None:
    code, text = run(*arguments)
    assert code == 2
    assert told in text


def test_all_documents_of_the_project() -> None:
    code, text = run()
    assert code == 0
    assert "refino_2023: " in text


def test_page_lists_all_documents_and_details_those_with_findings() -> None:
    code, page = run("--format", "html", "--language", "en")
    assert code == 0
    assert '<a href="#refino_2023">' in page
    assert '<section id="refino_2023"' in page
    assert '<section id="iwws"' not in page  # nothing was found there
    assert '<th scope="row" class="name">iwws</th><td>480</td><td>0</td><td>0</td><td>0</td>' in page
    assert "Exchanged numbers: Table II</h3>" in page
    assert "of Table II › linear › refino › wage and any wage are exchanged" in page
    # The most certain first.
    own = page.split('<section id="omrade_2024"')[1].split("</section>")[0]
    grades = re.findall('<article class="finding (\\w+)"', own)
    assert grades == sorted(grades, key=CERTAINTIES.index)
    assert len(set(grades)) > 1


def test_single_document_is_shown_without_findings(paper: Path) -> None:
    paper.write_text(HEAD + WRONG.replace("(0,68)", "(-0,68)"), encoding="utf-8")
    code, page = run(str(paper), "--format", "html")
    assert (code, '<section id="paper"' in page, 'id="documents"' in page) == (0, True, False)
    paper.write_text(HEAD + WRONG, encoding="utf-8")
    page = run(str(paper), "--format", "html")[1]
    # Of an estimate and a t of other signs either may be wrong: both have the weaker mark.
    assert '<td><mark class="suspect">-0,7<span class="unseen"> (suspected)</span></mark></td>' in page
    assert '<mark class="suspect">(0,68)' in page
    # The numbers are stated with the values that round to them.
    assert '<td class="text">-0,7</td><td class="range">-0.75 to -0.65</td>' in page


def test_suspected_numbers_are_marked_in_the_excerpt_of_a_table(tmp_path: Path) -> None:
    rows = [f"row {number},{number},{number}0" for number in range(1, 31)]
    text = "Table 1. Numbers\n,Women,Men,All\n" + "\n".join(f"{row},{int(row.split(',')[1]) * 11}" for row in rows)
    (tmp_path / "t.csv").write_text(text.replace("20,200,220", "20,200,290"), encoding="utf-8")
    shown = run(str(tmp_path / "t.csv"))[1]
    # Two relations fail, and the first and the last number take part in both; the third is a part of one of them.
    (line,) = [line for line in shown.splitlines() if "row 20 " in line and "?" in line]
    assert line.split()[2:] == ["?20?", "~200~", "?290?"]
    assert "row 19" in shown
    assert "row 12" not in shown
    page = run(str(tmp_path / "t.csv"), "--format", "html")[1]
    assert '<tr class="gap"><td colspan="4">18 rows left out</td></tr>' in page
    assert re.search(r'<mark class="(wrong|suspect)">290<', page)


def test_findings_of_one_kind_about_a_table_are_shown_together() -> None:
    page = run("oppfolging_2020", "--format", "html")[1]
    (article,) = re.findall(r"<article.*?Stars against size: Table 4.4.*?</article>", page, re.DOTALL)[-1:]
    article = article[article.rindex("<article") :]
    assert article.count("<li>") == 2
    assert (
        len(re.findall(r'<mark class="wrong">[^<]+<span class="unseen"> \(at fault\)</span></mark><sup', article)) == 2
    )
    assert "pages 53–59" in article


def test_json_has_each_number_of_a_finding_with_its_place(paper: Path, tmp_path: Path) -> None:
    out = tmp_path / "findings.json"
    assert run(str(paper), "--out", str(out))[0] == 0
    (document,) = json.loads(out.read_text(encoding="utf-8"))["documents"]
    (finding,) = document["findings"]
    assert (document["numbers"], finding["rule"], finding["certainty"]) == (2, "t_stat", "certain")
    assert [each["text"] for each in finding["published"]] == ["-0,7", "(0,68)"]
