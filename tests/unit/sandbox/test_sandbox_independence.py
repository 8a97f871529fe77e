"""The judge shares no code with what it judges."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import connectors.sandbox

FILES = sorted(Path(connectors.sandbox.__file__).parent.glob("*.py"))
OURS = {"neonhub_worker", "tasks", "rag"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_sandbox_imports_nothing_of_the_product(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            assert name.split(".")[0] not in OURS, name
            assert not name.startswith("connectors") or name.startswith("connectors.sandbox"), name
