"""A name never belongs to half a file."""

import pytest

from skbreast._files import write_text, written_whole


def test_a_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "new folder" / "a.txt"
    with written_whole(target) as part:
        part.write_text("whole")
        assert not target.exists()

    assert target.read_text() == "whole"
    assert [each.name for each in target.parent.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_older_file_and_no_rest(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "older")

    def write_half():
        with written_whole(target) as part:
            part.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_half()

    assert target.read_text() == "older"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]
