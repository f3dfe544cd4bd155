#!/usr/bin/env python3
"""Folders with headers of CUDA's, a line each: those that TIDEMILL_CUDA_HEADERS names with colons in between, each a folder of headers or a Python
environment's site-packages, then a toolkit's usual ones and those of the environment in use."""
import glob
import os

HEADERS = ("cuda.h", "nvrtc.h", "cublasLt.h", "nccl.h")


def folders():
    named = [f for f in os.environ.get("TIDEMILL_CUDA_HEADERS", "").split(":") if f]
    roots = [os.environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if os.environ.get(name)]
    for folder in named + ["/usr/local/cuda/include", "/opt/cuda/include"]:
        yield folder
    for packages in named + [p for root in roots for p in sorted(glob.glob(f"{root}/lib/python3*/site-packages"))]:
        yield from sorted(glob.glob(f"{packages}/nvidia/*/include"))


if __name__ == "__main__":
    print("\n".join(dict.fromkeys(os.path.abspath(f) for f in folders() if any(os.path.isfile(f"{f}/{h}") for h in HEADERS))))
