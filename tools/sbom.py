#!/usr/bin/env python3
"""sbom.py BUILD OUT FILE...: what is in a build and what it needs, as CycloneDX 1.5 in JSON (docs/release.md).

FILES are the programs and libraries that were linked: each library that one of them needs is a component, with the version that the build found.
Optional components are those that a running program opens where they are there. The page's packages are in it where the page is. The same build
gives the same bytes; SOURCE_DATE_EPOCH is its time, if set. A library that no table here knows stands in it without a licence, and is told."""
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Begin of the file's name: name, Meson's name of the dependency, licence.
LINKED = {
    "libc.": ("glibc", None, "LGPL-2.1-or-later"),
    "libm.": ("glibc", None, "LGPL-2.1-or-later"),
    "libdl.": ("glibc", None, "LGPL-2.1-or-later"),
    "libpthread.": ("glibc", None, "LGPL-2.1-or-later"),
    "libmvec.": ("glibc", None, "LGPL-2.1-or-later"),
    "ld-linux": ("glibc", None, "LGPL-2.1-or-later"),
    "libgcc_s.": ("libgcc", None, "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libjansson.": ("jansson", "jansson", "MIT"),
    "libzip.": ("libzip", "libzip", "BSD-3-Clause"),
    "libz.": ("zlib", "zlib", "Zlib"),
    "libcsv.": ("libcsv", None, "LGPL-2.1-or-later"),
    "libcminpack.": ("cminpack", "cminpack", "Minpack"),
    "libhwloc.": ("hwloc", "hwloc", "BSD-3-Clause"),
    "libsleef.": ("sleef", "sleef", "BSL-1.0"),
    "libopenblas.": ("openblas", "openblas", "BSD-3-Clause"),
    "libcblas.": ("cblas", "cblas", "BSD-3-Clause"),
    "libblas.": ("blas", "blas", "BSD-3-Clause"),
    "libmicrohttpd.": ("libmicrohttpd", "libmicrohttpd", "LGPL-2.1-or-later"),
    "libsodium.": ("libsodium", "libsodium", "ISC"),
    "libsqlite3.": ("sqlite", "sqlite3", "blessing"),
    "libmpi.": ("openmpi", "ompi-c", "BSD-3-Clause-Open-MPI"),
    "libopen-rte.": ("openmpi", "ompi-c", "BSD-3-Clause-Open-MPI"),
    "libopen-pal.": ("openmpi", "ompi-c", "BSD-3-Clause-Open-MPI"),
}
# Opened by a running program: how a text of the sources names the file, name, licence.
OPENED = {
    "libdnnl": ("onednn", "Apache-2.0"),
    "libcurl": ("curl", "curl"),
    "libOpenCL": ("opencl-icd-loader", "Apache-2.0"),
    "libcuda": ("nvidia-cuda-driver", "LicenseRef-NVIDIA-Driver"),
    "libnvidia-ml": ("nvidia-management-library", "LicenseRef-NVIDIA-Driver"),
    "libnvrtc": ("nvidia-nvrtc", "LicenseRef-NVIDIA-CUDA-Toolkit"),
    "libcublasLt": ("nvidia-cublaslt", "LicenseRef-NVIDIA-CUDA-Toolkit"),
    "libnccl": ("nvidia-nccl", "BSD-3-Clause"),
}
HEADERS = ("random123", "BSD-3-Clause")


def needed(file):
    text = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def component(name, version, licence, scope):
    made = {"type": "library", "bom-ref": f"{name}@{version}" if version else name, "name": name, "scope": scope}
    if version: made["version"] = version
    if not licence: return made
    custom = licence.startswith("LicenseRef")
    made["licenses"] = [{"expression": licence}] if " " in licence else [{"license": {"name" if custom else "id": licence}}]
    return made


def known(table, name, where):
    """Its row; of one that the table lacks its name alone."""
    row = next((row for begin, row in table.items() if name.startswith(begin)), None)
    if not row: print(f"sbom: {where}, and tools/sbom.py does not know it", file=sys.stderr)
    return row or (name.split(".")[0], *[None] * (len(next(iter(table.values()))) - 1))


def linked(files, versions):
    found = {}
    for library in sorted({library for file in files for library in needed(file)}):
        if library.startswith("libtidemill"): continue
        row = known(LINKED, library, f"{library} is linked")
        found[row[0]] = component(row[0], versions.get(row[1]), row[2], "required")
    return list(found.values())


def opened():
    """Those that the sources name."""
    found = {}
    for folder in "src", "apps":
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            for name in re.findall(r'"(lib[A-Za-z][\w-]*?)(?:\.so|\.\d|\.dylib|")', path.read_text()):
                if name.startswith("libtidemill"): continue
                row = known(OPENED, name, f"{path.relative_to(ROOT)} opens {name}")
                found[row[0]] = component(row[0], None, row[1], "optional")
    return list(found.values())


def of_page():
    lock = json.loads((ROOT / "apps/serve/page/package-lock.json").read_text())
    packages = ((path.rpartition("node_modules/")[2], row) for path, row in lock["packages"].items() if path and not row.get("dev"))
    return [component(name, row["version"], row["license"], "required") for name, row in packages]


def random123():
    """Its headers alone are used; their version is known where they are the subproject's."""
    wrap = (ROOT / "subprojects/random123.wrap").read_text()
    ours = (ROOT / "subprojects/random123/include").exists()
    return component(HEADERS[0], re.search(r"revision = v(\S+)", wrap).group(1) if ours else None, HEADERS[1], "required")


def bom(build, files):
    introspected = build / "meson-info"
    versions = {row["name"]: row["version"] for row in json.loads((introspected / "intro-dependencies.json").read_text())}
    version = json.loads((introspected / "intro-projectinfo.json").read_text())["version"]
    page = any(target["name"] == "page" for target in json.loads((introspected / "intro-targets.json").read_text()))
    parts = [*linked(files, versions), random123(), *opened(), *(of_page() if page else [])]
    parts.sort(key=lambda part: part["bom-ref"])
    self = {"type": "application", "bom-ref": f"tidemill@{version}", "name": "tidemill", "version": version, "licenses": [{"license": {"id": "MIT"}}]}
    made = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": self}, "components": parts,
            "dependencies": [{"ref": self["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}]}
    made["serialNumber"] = "urn:uuid:" + str(uuid.UUID(hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:32], version=4))
    if "SOURCE_DATE_EPOCH" in os.environ:
        moment = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
        made["metadata"]["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def main():
    if len(sys.argv) < 4: raise SystemExit(__doc__)
    made = bom(pathlib.Path(sys.argv[1]), sys.argv[3:])
    pathlib.Path(sys.argv[2]).write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
