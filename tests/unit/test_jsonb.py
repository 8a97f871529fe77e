"""Whatever a platform answers can be stored."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from neonhub_worker.db import jsonb

texts = st.text(st.characters(codec=None, categories=None))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)


@given(values)
def test_the_text_holds_nothing_that_postgres_refuses(value: object) -> None:
    dumped = jsonb.dumps(value)
    assert "\\u0000" not in dumped.replace("\\\\", "")
    dumped.encode()
    json.loads(dumped, parse_constant=lambda name: (_ for _ in ()).throw(AssertionError(name)))


def test_ordinary_values_stay_as_they_are() -> None:
    value = {"text": "Grüße 🌷 \\u0000", "n": 1.5, "list": [None, True, -3]}
    assert json.loads(jsonb.dumps(value)) == value


def test_odd_characters_are_marked() -> None:
    assert jsonb.text("a\x00b\ud800c") == "a\ufffdb\ufffdc"
    assert json.loads(jsonb.dumps({"\x00": float("nan")})) == {"\ufffd": None}
