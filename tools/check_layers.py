#!/usr/bin/env python3
"""The include law: arrows between folders point one way (docs/design.md). Reads every #include, fails on a back arrow."""
import os
import re
import sys

from sources import ROOT, c_files

PUBLIC = "include"
# Folder -> the folders it may include from, besides itself.
MAY = {
    "include": set(),
    "src/base": {"include"},
    "src/ir": {"include", "src/base"},
    "src/ops": {"include", "src/base", "src/ir"},
    "src/autodiff": {"include", "src/base", "src/ir", "src/ops"},
    "src/compile": {"include", "src/base", "src/ir", "src/ops", "src/backends"},
    "src/kernelgen": {"include", "src/base", "src/backends"},
    "src/kernelgen/gpu": {"include", "src/base", "src/backends", "src/kernelgen"},
    "src/backends": {"include", "src/base"},
    "src/backends/ref": {"include", "src/base", "src/backends"},
    "src/backends/check": {"include", "src/base", "src/backends", "src/backends/ref"},
    "src/backends/cpu": {"include", "src/base", "src/backends", "src/backends/ref", "src/kernelgen"},
    "src/backends/gpu": {"include", "src/base", "src/backends", "src/kernelgen/gpu"},
    "src/backends/cuda": {"include", "src/base", "src/backends", "src/backends/gpu"},
    "src/backends/metal": {"include", "src/base", "src/backends", "src/backends/gpu"},
    "src/backends/opencl": {"include", "src/base", "src/backends", "src/backends/gpu"},
    "src/runtime": {"include", "src/base", "src/ir", "src/ops", "src/autodiff", "src/compile", "src/backends"},
    # Built on what any user of the library has; base lends them strings, failures and memory.
    "src/nn": {"include", "src/base"},
    "src/optim": {"include", "src/base"},
    "src/io": {"include", "src/base"},
    "src/frame": {"include", "src/base"},
    "src/files": {"include", "src/base", "src/ranks"},
    "src/options": {"include", "src/base"},
    "src/ranks": {"include", "src/base"},
    "src/train": {"include", "src/base", "src/files", "src/options", "src/ranks"},
    "apps/draw": {"include", "src/base"},
    "apps/data": {"include", "src/base", "src/files"},
    "apps/machine": {"include", "src/base"},
    "apps/selftest": {"include", "src/base", "apps/forecast/models"},
    "apps/bench": {"include", "src/base", "src/files", "src/train", "apps/eis", "apps/eis/known", "apps/eis/posterior", "apps/eis/circuit", "apps/forecast", "apps/forecast/models", "apps/machine",
                   "apps/draw"},
    "cli": {"include", "apps/data", "apps/bench", "apps/machine", "apps/selftest"},
    "python/src": {"include"},
    "examples": {"include"},
}
# Inside an application each folder may include from those before it, besides what the application itself may.
APPLICATIONS = {
    "apps/forecast": ["options", "data", "models", "score", "fit", "saved", "report", "training", "backtest", "explain", "tune", "export", ""],
    "apps/serve": ["log", "http", "access", "fields", "work", "models", "store", "uploads", "tables", "jobs", "routes", ""],
    "apps/eis": ["options", "circuit", "read", "plots", "check", "drt", "equivalent", "posterior", "fit", "training", "predictor", "dataset", "known", "answer", "evaluate", "report", "batch", ""],
}
for application, folders in APPLICATIONS.items():
    lent = {"include", "src/base", "src/files", "src/options", "src/ranks", "src/train", "apps/draw", "apps/machine"}
    for folder in folders:
        name = f"{application}/{folder}".rstrip("/")
        MAY[name] = set(lent)
        lent.add(name)
MAY["apps/serve/jobs"].add("apps/bench")  # a command that may be a job
# What one folder shows another is named here; everything else of it is its own.
SHOWN = {
    "src/backends": {"backend.h"},
    "src/kernelgen": {"kernelgen.h", "spelling.h", "study.h"},
    "src/kernelgen/gpu": {"gpu.h"},
    "src/backends/gpu": {"driver.h", "cache.h"},
    "src/ops": {"table.h"},  # what compile expands fused ops with
    "src/files": {"folders.h", "journal.h", "owned.h", "pieces.h"},
    "src/ranks": {"place.h", "ranks.h", "threads.h", "transport.h"},
    "src/train": {"device.h", "run.h", "fit.h", "ranks.h", "step.h", "schedule.h", "parameters.h", "team.h"},
    "apps/draw": {"plot.h", "chart.h", "html.h", "matrix.h", "sheet.h"},
    "apps/data": {"data.h"},
    "apps/machine": {"machine.h"},
    "apps/bench": {"bench.h"},
    "apps/selftest": {"selftest.h"},
}


def folder_of(path):
    """The longest folder of the table that holds path."""
    parts = path.parent.as_posix().split("/")
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in MAY:
            return name
    return None


def target_of(path, name):
    """The project's file that `#include "name"` or <name> in path means, None for a system header."""
    for base in (path.parent, "include", "src", "apps", "cli", "."):
        candidate = (ROOT / base / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(ROOT):
            return candidate.relative_to(ROOT)
    return None


def fault(path, name):
    """Why path may not include name; None if it may."""
    source, target = folder_of(path), target_of(path, name)
    if target is None:
        return None
    goal = folder_of(target)
    if goal is None:
        return f"{target} belongs to no layer"
    if goal == source:
        return None
    if goal not in MAY[source]:
        return f"{source} must not know {goal}"
    if goal in SHOWN and target.name not in SHOWN[goal]:
        return f"{target} is {goal}'s own; it shows {', '.join(sorted(SHOWN[goal]))}"
    return None


def main():
    faults = []
    for path in c_files("include", "src", "apps", "cli", "python", "examples"):
        if folder_of(path) is None:
            faults.append(f"{path}: its folder is not in the law")
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^">]+)[">]', line)
            why = fault(path, match.group(1)) if match else None
            if why:
                faults.append(f"{path}:{number}: {line.strip()}: {why}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
