"""The connector that docs/how-to/add-a-connector.md adds: its files, added to a copy of the tree, pass the suite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/add-a-connector.md"
_FILE = re.compile(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with everything added that the page says."""
    copy = tmp_path_factory.mktemp("added")
    for part in ("connectors", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    files = _FILE.findall(PAGE.read_text())
    assert len(files) == 4
    for path, content in files:
        (copy / path).write_text(content)
    _add(copy / "connectors/registry.py", "from connectors.mastodon import MASTODON", "CONNECTORS", "MASTODON")
    _add(
        copy / "connectors/sandbox/platforms.py",
        "from connectors.sandbox.mastodon import Mastodon",
        "PLATFORMS",
        "Mastodon()",
    )
    return copy


def _add(path: Path, imported: str, name: str, item: str) -> None:
    """Import something and put it first into a list."""
    text, times = re.subn(rf"^({name}: .* = \()", rf"\1{item}, ", path.read_text(), flags=re.MULTILINE)
    assert times == 1
    path.write_text(
        text.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{imported}\n")
    )


def _run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_passes_the_contract_suite_as_it_stands_on_the_page(tree: Path) -> None:
    done = _run(tree, "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/test_effects.py", "-k", "mastodon")
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 20


def test_the_command_line_shows_it(tree: Path) -> None:
    done = _run(tree, "neonhub_worker.cli.main", "catalog", "mastodon.publishPost")
    assert "ResendWithKey" in done.stdout, done.stderr


def test_the_files_keep_the_house_rules(tree: Path) -> None:
    paths = [path for path, _ in _FILE.findall(PAGE.read_text()) if path.endswith(".py")]
    for checked in (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)):
        done = _run(tree, *checked, *paths)
        assert done.returncode == 0, done.stdout
