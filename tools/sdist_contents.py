#!/usr/bin/env python3
"""Run by `meson dist` where the Python package is configured: of the tree in MESON_DIST_ROOT leaves what that package is built from (docs/python.md)."""
import os
import pathlib
import shutil

KEPT = {"CHANGELOG.md", "LICENSE", "README.md", "apps", "include", "meson.build", "meson_options.txt", "pyproject.toml", "python", "src", "subprojects", "tools"}
TOOLS = {"embed_text.py", "python_binding.py", "sdist_contents.py"}


def remove(path):
    if path.is_dir() and not path.is_symlink(): shutil.rmtree(path)
    else: path.unlink()


def main():
    root = pathlib.Path(os.environ["MESON_DIST_ROOT"])
    for path in [*root.iterdir(), *(root / "tools").iterdir(), *(root / "apps/serve/page").iterdir()]:
        kept = KEPT if path.parent == root else TOOLS if path.parent.name == "tools" else {"meson.build"}
        if path.name not in kept: remove(path)


if __name__ == "__main__":
    main()
