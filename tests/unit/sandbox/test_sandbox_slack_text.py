"""Does the sandbox show a text as Slack does?"""

from __future__ import annotations

import pytest

from connectors.sandbox.slack_text import shown


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("", ""),
        ("Hi  there \n", "Hi  there \n"),
        ("A & B < C > D", "A &amp; B &lt; C &gt; D"),
        ("A &amp; B &lt;3", "A &amp; B &lt;3"),
        ("&copy; &", "&amp;copy; &amp;"),
        ("https://a.example/?x=1&y=2", "<https://a.example/?x=1&amp;y=2>"),
        ("see http://a.example now", "see <http://a.example> now"),
        (
            "<https://a.example|here> & <@U0ALICE0001> <!channel>",
            "<https://a.example|here> &amp; <@U0ALICE0001> <!channel>",
        ),
        ("<b>", "&lt;b&gt;"),
        ("Party 🎉", "Party :tada:"),
    ],
)
def test_a_text_is_shown_in_slacks_way(sent: str, text: str) -> None:
    assert shown(sent) == text
