"""Are errors classed by what may be done next?"""

from __future__ import annotations

import re

import pytest

from connectors.kit import errors
from connectors.kit.errors import (
    AlreadyDone,
    ConnectorError,
    NotDone,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
    looking,
)

TREE = (errors.__doc__ or "").partition("\n\n")[2]


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    drawn = re.findall(r"^([│├└─ ]*)([A-Z]\w+) ", TREE, flags=re.MULTILINE)
    parents: dict[int, str] = {}
    found = {}
    for branch, name in drawn:
        depth = len(branch) // 3
        found[name] = parents.get(depth - 1)
        parents[depth] = name
    found.pop("Postpone")

    defined = {
        name: kind.__bases__[0].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, ConnectorError)
    }
    assert found == {**defined, "ConnectorError": None}


def test_every_class_says_whether_it_was_done() -> None:
    for kind in (Refused, NotDone, OutcomeUnknown, AlreadyDone):
        others = {Refused, NotDone, OutcomeUnknown, AlreadyDone} - {kind}
        assert not issubclass(kind, tuple(others))


def test_a_refused_question_is_no_verdict_about_the_effect() -> None:
    with pytest.raises(OutcomeUnknown, match="no such channel") as caught, looking():
        raise NotFound("no such channel", code="channel_not_found", http_status=200, request_id="r1")

    assert (caught.value.code, caught.value.http_status, caught.value.request_id) == ("channel_not_found", 200, "r1")


@pytest.mark.parametrize("error", [Unavailable("away"), RateLimited("slow down", retry_after_s=3)])
def test_a_question_that_could_not_be_asked_says_so(error: NotDone) -> None:
    with pytest.raises(type(error)) as caught, looking():
        raise error

    assert caught.value is error
