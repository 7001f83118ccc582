"""A manifest names every change of a release, in a folder and in an archive, and a key tells a true one from another."""

import pytest

from refino_eval.errors import UserError
from refino_eval.release.release_manifest import MANIFEST, SIGNATURE, read_key, verify, write_manifest, write_zip

KEY = b"k" * 32


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "v1"
    (folder / "tables").mkdir(parents=True)
    for name in ("a.csv", "tables/b.csv", "tables/c.csv"):
        (folder / name).write_text(name)
    write_manifest(folder, {"evaluation": "toy", "version": "v1"}, key=KEY)
    return folder


def test_an_unchanged_release_is_confirmed_in_both_forms(folder, tmp_path):
    archives = [tmp_path / "1.zip", tmp_path / "2.zip"]
    for archive in archives:
        write_zip(folder, archive, inside="toy_v1")
        (folder / "a.csv").touch()
    assert archives[0].read_bytes() == archives[1].read_bytes()
    for place in (folder, archives[0]):
        found = verify(place, key=KEY)
        assert (found.changes, found.signed, found.authentic) == ((), True, True)
        assert verify(place).authentic is None
        assert verify(place, key=b"x" * 32).authentic is False


def test_changes_are_named_and_another_manifest_is_not_signed(folder):
    (folder / "a.csv").write_text("other")
    (folder / "tables/b.csv").unlink()
    (folder / "d.csv").write_text("new")
    assert verify(folder).changes == ("a.csv was changed", "tables/b.csv was removed", "d.csv was added")
    write_manifest(folder, {"evaluation": "toy", "version": "v1"})
    found = verify(folder, key=KEY)
    assert (found.changes, found.authentic) == ((), False)
    (folder / SIGNATURE).unlink()
    assert verify(folder, key=KEY).authentic is False


def test_what_is_no_release_or_no_key_is_reported(folder, tmp_path):
    (folder / MANIFEST).write_text("{}")
    for place in (folder, tmp_path, tmp_path / "missing.zip"):
        with pytest.raises(UserError):
            verify(place)
    (tmp_path / "short").write_text("secret")
    for name in ("short", "missing"):
        with pytest.raises(UserError, match="--key"):
            read_key(tmp_path / name)
