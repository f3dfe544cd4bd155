#!/usr/bin/env python3
"""pip installs the package, isolated, into a fresh environment that has nothing but pip; what came of it is looked at; then
the tests run there.

    install.py SOURCE_TREE ENVIRONMENT [WHEEL]     WHEEL: it is installed, in place of what pip builds of the tree

Without a package index there is nothing to build with: skipped (exit code 77)."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

# A node is wanted in 0.5 us (bench/results/python.md); a core whose other half is at work takes up to twice its time.
MOST_IMPORT_S, MOST_NODE_S = 0.010, 1e-6
# What an import may need. oneDNN and OpenMP are not of them, nor is anything of numpy's.
SYSTEM = re.compile(r"linux-vdso|ld-linux|libc\.|libm\.|libdl\.|libpthread\.|libsleef\.|libjansson\.|libzip\.|libz\.|libcsv\.|libcminpack\.|libhwloc\.")

NODE = """
import time, tidemill as tm
g = tm.Graph()
x = g.fill((8, 8), 1.0)
mark, best = g.mark(), 1.0
for _ in range(400):
    start = time.thread_time()
    for _ in range(1000): x + x
    best = min(best, (time.thread_time() - start) / 1000)
    g.rewind(mark)
print(best)
"""


# Meson has malloc fill what it hands out, which is no part of what is timed.
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True, env=PLAIN).stdout


def seconds(python, code, times=12):
    """Of the processor, the least of several runs: others at work on the machine only ever add to it."""
    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    best = float("inf")
    for _ in range(times):
        start = spent()
        run(python, "-I", "-S", "-c", code)
        best = min(best, spent() - start)
    return best


def site_packages(python):
    return pathlib.Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))").strip())


def look(python):
    """What an installed package is like: its files, what it needs, what an import and a node cost."""
    site = site_packages(python)
    files = {path.name: path for path in (site / "tidemill").iterdir() if path.is_file()}
    assert {"__init__.py", "_tidemill.abi3.so", "_tidemill.pyi", "py.typed"} <= set(files), files
    wheel = next(site.glob("tidemill-*.dist-info/WHEEL")).read_text()
    assert re.search(r"^Tag: cp311-abi3-(many)?linux_" if sys.platform == "linux" else r"^Tag: cp311-abi3-", wheel, re.M), wheel
    size = files["_tidemill.abi3.so"].stat().st_size
    if sys.platform == "linux" and shutil.which("ldd"):
        needs = [line.split()[0] for line in run("ldd", files["_tidemill.abi3.so"]).splitlines()]
        direct = [name for name in needs if not SYSTEM.search(name)]
        assert not [name for name in needs if re.search("gomp|iomp|dnnl|python|openblas", name)], needs
        print("needs, besides the system's:", ", ".join(direct) or "nothing")
    if sys.platform == "linux" and shutil.which("nm"):
        shown = [line.split()[-1] for line in run("nm", "-D", "--defined-only", files["_tidemill.abi3.so"]).splitlines()]
        assert shown == ["PyInit__tidemill"], shown
    add = f"import sys; sys.path.insert(0, {str(site)!r});"
    alone, loaded = seconds(python, add), seconds(python, add + "import tidemill")
    node = float(run(python, "-c", NODE))
    print(f"extension {size / 1e6:.2f} MB; import {1e3 * (loaded - alone):.1f} ms above the interpreter's {1e3 * alone:.1f}; a node {1e6 * node:.2f} us")
    assert loaded - alone <= MOST_IMPORT_S, f"import takes {loaded - alone} s"
    assert node <= MOST_NODE_S, f"a node takes {node} s"


def main():
    source, environment, *wheel = map(pathlib.Path, sys.argv[1:4])
    start = time.perf_counter()
    run(sys.executable, "-m", "venv", "--clear", environment)
    python = environment / "bin" / "python"
    with tempfile.TemporaryDirectory() as folder:
        index = subprocess.run([python, "-m", "pip", "download", "-q", "--no-deps", "--dest", folder, "meson-python"], capture_output=True, text=True)
    if index.returncode:
        print(f"no package index: {index.stderr.strip().splitlines()[-1:]}")
        return 77
    made = subprocess.run([python, "-m", "pip", "install", "--no-input", *(wheel or [source])], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"pip install failed:\n{made.stdout[-4000:]}{made.stderr[-2000:]}")
    print(f"installed in {time.perf_counter() - start:.0f} s")
    look(python)
    tools = re.search(r'^test = \[(.*)\]$', (source / "pyproject.toml").read_text(), re.M).group(1)
    run(python, "-m", "pip", "install", "-q", "--no-compile", *re.findall(r'"([^"]+)"', tools))
    env = dict(os.environ, OMP_NUM_THREADS="2")
    return subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", source / "tests" / "python"], env=env, cwd=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
