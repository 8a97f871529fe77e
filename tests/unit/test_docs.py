"""The pages say what is there: every link to a file of ours leads somewhere, every test that is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_proof_that_the_guarantees_name_is_a_test() -> None:
    text = (ROOT / "docs/guarantees.md").read_text()
    tests = "\n".join(file.read_text() for file in ROOT.glob("tests/**/test_*.py"))
    named = re.findall(r"`(?:\.\.\.)?([a-z_]+)\.\.\.`", text)
    assert len(named) >= 10
    assert [name for name in named if not re.search(rf"def test_\w*{name.strip('_')}", tests)] == []
