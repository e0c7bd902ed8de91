"""The notebook runs from top to bottom and shows what it says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.pages import ROOT

NOTEBOOK = ROOT / "notebooks" / "first_vectors.ipynb"


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_outputs(notebook):
    """So that a change of a cell is all that a diff shows, and no stale plot is believed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_its_links_lead_to_pages(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert links
    assert [link for link in links if not (NOTEBOOK.parent / link).is_file()] == []


@pytest.mark.slow
def test_it_runs_and_classifies_better_than_guessing(notebook, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    client = NotebookClient(
        notebook.copy(), timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )

    done = client.execute()

    outputs = [out for cell in done.cells for out in cell.get("outputs", [])]
    plots = [out for out in outputs if "image/png" in out.get("data", {})]
    assert len(plots) == 3
    text = "".join(out.text for out in outputs if out.output_type == "stream")
    assert "Traceback" not in text
    score, guess = re.findall(r"balanced accuracy.*: ([\d.]+) \(guessing: ([\d.]+)\)", text)[0]
    assert float(score) > 2 * float(guess)
    assert len(re.findall(r"false alarm", text)) == 10
    assert (tmp_path / "first_vectors" / "explore.html").is_file()
