"""A name never belongs to half a file."""

import os

import pytest

from skbreast._files import forget_parts, name_of_part, write_text, written_together, written_whole


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


def test_a_part_knows_its_name(tmp_path):
    with written_whole(tmp_path / "a.b.txt") as part:
        assert name_of_part(part.name) == "a.b.txt"
    assert name_of_part("a.b.txt") is None
    assert name_of_part(".theirs.part") is None


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, {"a.new", "theirs", "below/a.old"}),
        ({"deep": True}, {"a.new", "theirs"}),
        ({"name": "b"}, {"a.old", "a.new", "theirs", "below/a.old"}),
    ],
)
def test_abandoned_parts_are_deleted(tmp_path, options, left):
    names = {"a.old": ".a.0f.part", "a.new": ".a.1f.part", "b.old": ".b.0f.part"}
    names |= {"theirs": ".theirs.part", "below/a.old": "below/.a.0f.part"}
    (tmp_path / "below").mkdir()
    for short, name in names.items():
        (tmp_path / name).touch()
        if short != "a.new":
            os.utime(tmp_path / name, (0, 0))
    forget_parts(tmp_path, **options)
    assert {short for short, name in names.items() if (tmp_path / name).exists()} == left
    forget_parts(tmp_path / "nowhere", **options)


def test_stages_of_killed_writers_are_deleted(tmp_path):
    old, theirs = tmp_path / f".{'0f' * 16}.new", tmp_path / ".theirs.new"
    for stage in (old, theirs):
        stage.mkdir()
        (stage / "a").touch()
        for path in (stage / "a", stage):
            os.utime(path, (0, 0))
    with written_together(tmp_path, last="z") as new:
        assert not old.exists()
        for name in "za":
            (new / name).write_text(name)
        assert new.parent == tmp_path  # so that files can be moved
        with written_together(tmp_path, last="z") as other:  # whose stage is young
            (other / "a").write_text("other")
    assert {each.name for each in tmp_path.iterdir()} == {"a", "z", ".theirs.new"}
    assert (tmp_path / "a").read_text() == "a"
