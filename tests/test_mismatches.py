"""By what two descriptions differ, in words."""

import pytest

from skbreast._mismatches import name_mismatches


@pytest.mark.parametrize(
    ("noted", "own", "said"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": "x"}, {"b": "y", "a": 2}, ["a 1 there, 2 here", "b 'x' there, 'y' here"]),
        ({"a": 1}, {"b": None, "c": 3}, ["a 1 there, None here", "c None there, 3 here"]),
        ({"a": "0" * 40}, {"a": "f" * 40}, ["other a"]),
        ({}, {"a": "f" * 40}, ["other a"]),
        ({"a": "g" * 40}, {}, [f"a '{'g' * 40}' there, None here"]),
    ],
)
def test_differences_are_named_in_order(noted, own, said):
    assert list(name_mismatches(noted, own)) == said


def test_the_form_may_be_another():
    form = "{name} {noted}, now {own}"
    assert list(name_mismatches({"keras": "3.12"}, {"keras": "3.13"}, form)) == [
        "keras 3.12, now 3.13"
    ]
