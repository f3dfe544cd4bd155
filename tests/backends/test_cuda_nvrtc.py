#!/usr/bin/env python3
"""Every text for CUDA that the tests on fibers print is compiled by NVRTC for sm_80, sm_90 and sm_100, with the driver's own options.

test_cuda_nvrtc.py BUILD -- TEST ARGUMENTS... -- TEST ...: each test leaves its texts in a folder (FIBERS_CUDA_TEXTS). NVRTC is that of PyPI's
nvidia-cuda-nvrtc, kept in the build folder, or that of the folder which NVRTC_LIBS names. Skipped (77) where it cannot be had."""
import concurrent.futures
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

WHEEL = "nvidia-cuda-nvrtc==13.5.37"
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")


def libraries(build):
    """The folder with NVRTC's libraries; None, and why."""
    if os.environ.get("NVRTC_LIBS"):
        return pathlib.Path(os.environ["NVRTC_LIBS"]), None
    home = build / "nvrtc"
    pattern = "lib/python3*/site-packages/nvidia/*/lib"
    if not list(home.glob(pattern)):
        try:
            venv.create(home, with_pip=True)
            subprocess.run([home / "bin/python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", WHEEL],
                           check=True, capture_output=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            return None, f"{WHEEL} cannot be had: {error}"
    found = list(home.glob(pattern))
    return (found[0], None) if found else (None, f"{WHEEL} has no libraries for this machine")


def open_nvrtc(folder):
    for name in ("libnvrtc-builtins.so.*", "libnvrtc.so.*"):
        path = sorted(folder.glob(name))[0]
        library = ctypes.CDLL(str(path))
    return library


def compile_text(folder, path, architecture):
    """What NVRTC says against it; "": nothing."""
    nvrtc, program, size = open_nvrtc(folder), ctypes.c_void_p(), ctypes.c_size_t()
    options = [f"--gpu-architecture={architecture}".encode(), b"--fmad=false"]
    if nvrtc.nvrtcCreateProgram(ctypes.byref(program), path.read_bytes(), b"kernel.cu", 0, None, None):
        return "NVRTC takes no text"
    code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value + 1)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return f"error {code}: {log.value.decode(errors='replace')}" if code else ""


def commands(words):
    """Behind each --, one."""
    found = []
    for word in words:
        if word == "--":
            found.append([])
        else:
            found[-1].append(word)
    return found


def print_texts(folder, tests):
    """Whether each test was content and, unless it was skipped, has left a text."""
    for words in tests:
        before = len(list(folder.glob("*.cu")))
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "FIBERS_CUDA_TEXTS": str(folder)})
        if done.returncode not in (0, 77):
            print(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            return False
        if done.returncode == 0 and len(list(folder.glob("*.cu"))) == before:
            print(f"{' '.join(words)} has left no text")
            return False
    return True


def main():
    nvrtc, missing = libraries(pathlib.Path(sys.argv[1]))
    if missing:
        print(missing)
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if not print_texts(folder, commands(sys.argv[2:])):
            return 1
        texts = sorted(folder.glob("*.cu"))
        with concurrent.futures.ProcessPoolExecutor() as pool:
            jobs = {pool.submit(compile_text, nvrtc, text, a): (text, a) for text in texts for a in ARCHITECTURES}
            wrong = [(jobs[job], job.result()) for job in concurrent.futures.as_completed(jobs) if job.result()]
        for (text, architecture), said in wrong[:3]:
            print(f"{text.name} for {architecture}: {said[:3000]}")
        print(f"{len(texts)} texts for {', '.join(ARCHITECTURES)}: {len(wrong)} are refused")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
