"""Faults and formats that are asked for by name: planted as counted, found as planted, and never in the truth's way."""

import pandas as pd
import pyreadstat
import pytest

from refino_eval.errors import UserError
from refino_eval.synthetic import Mess, generate
from refino_eval.synthetic.options import RATE, chosen_format, chosen_mess, mess_names

NEW = ("open_ends", "future_dates", "unknown_codes", "broken_lines", "missing_ids", "bad_dates")


def planted(folder):
    frame = pd.read_csv(folder / "planted_mess.csv")
    return frame[frame["rows"] > 0].groupby("kind")["rows"].sum().to_dict()


def test_names_are_the_models_and_their_aliases():
    assert set(Mess.model_fields) < set(mess_names())
    assert chosen_mess(Mess(same_employer=0.02), ["overlaps", " bad_dates"]) == Mess(same_employer=0.02, bad_dates=RATE)
    assert chosen_mess(Mess(duplicates=0.5), ["none"]) == Mess()


@pytest.mark.parametrize(
    ("names", "said"), [(["overlap"], "overlaps"), ([], "name the faults"), (["none", "x"], "'x'")]
)
def test_unknown_fault_names_are_reported(names, said):
    with pytest.raises(UserError, match=said):
        chosen_mess(Mess(), names)


def test_formats():
    assert [chosen_format(name) for name in (None, "dta")] == [None, "dta"]
    with pytest.raises(UserError, match="only SAS itself can write sas7bdat"):
        chosen_format("sas7bdat")
    with pytest.raises(UserError, match="parquet"):
        chosen_format("parket")


@pytest.mark.parametrize("name", [name for name in Mess.model_fields if name not in ("no_show", "zero_hours")])
def test_each_fault_is_planted_alone_and_leaves_the_truth(recipe, tmp_path, name):
    clean, messy = tmp_path / "clean", tmp_path / "messy"
    generate(recipe, clean, people=60, mess=Mess())
    generate(recipe, messy, people=60, mess=Mess(**{name: 0.3}))
    assert (clean / "truth.parquet").read_bytes() == (messy / "truth.parquet").read_bytes()
    before, after = planted(clean), planted(messy)
    grown = {kind for kind in after if after[kind] > before.get(kind, 0)} - {"zero_hours"}
    assert len(grown) == 1, grown


def test_spoilt_lines_are_counted_in_the_letter_and_the_manifest(recipe, tmp_path):
    generate(recipe, tmp_path / "d", people=60, mess=Mess(broken_lines=0.2, missing_ids=0.2))
    form = recipe.registers["draws"]
    jobs = recipe.registers["jobs"]
    text = (tmp_path / "d" / jobs.file).read_bytes().decode("latin-1").splitlines()
    short = [line for line in text if line.count(jobs.delimiter) < text[0].count(jobs.delimiter)]
    nameless = [line for line in text if line.startswith(jobs.delimiter)]
    told = pd.read_csv(tmp_path / "d" / "planted_mess.csv").set_index(["register", "kind"])["rows"]
    assert told["jobs", "broken_line"] == len(short) > 0
    assert told["jobs", "missing_id"] == len(nameless) > 0
    letter = (tmp_path / "d" / "delivery.yaml").read_text(encoding="utf-8")
    assert f"file: {jobs.file}, rows: {len(text) - 1}" in letter
    assert form.file in letter


@pytest.mark.parametrize("kind", ["dta", "sav"])
def test_typed_files_hold_what_the_text_files_say(recipe, tmp_path, kind):
    text, typed, again = (tmp_path / name for name in ("text", "typed", "again"))
    generate(recipe, text, people=60)
    for folder in (typed, again):
        manifest = generate(recipe, folder, people=60, format=kind)
    for name in manifest.rows:
        assert (typed / name).read_bytes() == (again / name).read_bytes()
    form = recipe.registers["draws"]
    said = pd.read_csv(text / form.file, sep=form.delimiter, dtype=str)
    path = typed / form.file.replace(".csv", f".{kind}")
    read = pd.read_stata(path) if kind == "dta" else pyreadstat.read_sav(path)[0]
    date = form.columns["start"].name
    read[date] = pd.to_datetime(read[date]).dt.strftime(form.columns["start"].date_format)
    assert read.astype(str).to_numpy().tolist() == said.to_numpy().tolist()
