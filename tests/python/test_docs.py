"""The code of the pages on Python runs, block after block; the notebooks run, and what the table of the guides' calls names is there."""
import ast
import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = {"python-models.md": 4, "python-forecasters.md": 2, "python-laboratories.md": 8}
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.M | re.S)
    assert len(blocks) >= PAGES[page]
    names = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


# ---- notebooks ----

def shown_by(cell, names):
    """Runs a cell as a notebook does; what it shows of its last expression: as HTML where it can be."""
    tree = ast.parse(cell)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    value = eval(compile(last, "cell", "eval"), names) if last else None
    return value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names, shown = {}, []
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            shown.append(shown_by("".join(cell["source"]), names))
    assert sum("<svg" in text for text in shown) == {"forecast": 2, "impedance": 4, "model": 0}[path.stem]
    assert not list(tmp_path.iterdir())


def test_notebooks_are_without_outputs():
    assert [path.stem for path in NOTEBOOKS] == ["forecast", "impedance", "model"]
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text())["cells"]
        assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
        assert sum("assert" in "".join(cell["source"]) for cell in cells) >= 2
