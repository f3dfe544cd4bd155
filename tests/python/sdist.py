#!/usr/bin/env python3
"""The source package holds what the Python package is built from and nothing else: a wheel of it is built, installed and used, in an environment of
its own. What is packed is the last commit.

    sdist.py SOURCE_TREE FOLDER     the folder is made, and removed. Skipped (77) without a package index or a repository"""
import pathlib
import shutil
import subprocess
import sys
import tarfile
import venv

ALLOWED = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "apps", "include", "meson.build", "meson_options.txt", "pyproject.toml", "python", "src",
           "subprojects", "tools"}
MOST_BYTES = 3 << 20


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def main():
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    if not shutil.which("git") or subprocess.run(["git", "-C", source, "rev-parse", "HEAD"], capture_output=True).returncode:
        print("skipped: no repository")
        return 77
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment/bin/python"
    if subprocess.run([python, "-m", "pip", "install", "-q", "build"], capture_output=True).returncode:
        print("skipped: no package index")
        return 77
    try:
        run("git", "clone", "-q", "--local", source, folder / "tree")
        run(python, "-m", "build", "--sdist", "--outdir", folder, folder / "tree")
        archive = next(folder.glob("tidemill-*.tar.gz"))
        with tarfile.open(archive) as packed:
            names = [name.split("/", 1)[1] for name in packed.getnames() if "/" in name]
        strange = {name for name in names if name.split("/")[0] not in ALLOWED}
        assert not strange, strange
        assert not [name for name in names if "node_modules" in name or name.endswith((".npz", ".pyc", ".xz"))]
        assert archive.stat().st_size < MOST_BYTES, archive.stat().st_size
        run(python, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder, archive)
        wheel = next(folder.glob("tidemill-*.whl"))
        run(python, "-m", "pip", "install", "-q", "--no-deps", wheel)
        said = run(python, "-c", "import tidemill as tm; g = tm.Graph(); print(tm.__version__, float((g.fill((2,), 3.0) * 2.0).sum()))", cwd=folder).split()
        assert said == [wheel.name.split("-")[1], "12.0"], said
        print(f"{archive.name}: {archive.stat().st_size} bytes, {len(names)} files; {wheel.name}: {wheel.stat().st_size} bytes")
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
