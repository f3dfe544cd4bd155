"""The C libraries that a wheel has in its extension: static, from the sources of this machine's Debian or Ubuntu, with nothing in
them that Tidemill does not call."""
import pathlib
import re
import shutil
import subprocess

# How each is built: by CMake, with these settings, or as files of C, all but those that match; headers go to include/FOLDER. Who passes it on
# passes on its licence.
LIBRARIES = {
    "jansson": {"cmake": ["JANSSON_BUILD_DOCS=OFF", "JANSSON_WITHOUT_TESTS=ON", "JANSSON_EXAMPLES=OFF"], "licence": "LICENSE"},
    # Encryption is why Debian's brings libcrypto, other packings why it brings more: zip_in.c refuses members of either kind. What
    # arc4random is for is the name of a temporary file; glibc has it since 2.36 alone.
    "libzip": {"cmake": [f"ENABLE_{name}=OFF" for name in ("COMMONCRYPTO", "GNUTLS", "MBEDTLS", "OPENSSL", "BZIP2", "LZMA", "ZSTD")] +
                        [f"BUILD_{name}=OFF" for name in ("TOOLS", "REGRESS", "EXAMPLES", "DOC")] + ["HAVE_ARC4RANDOM=OFF"],
               "licence": "LICENSE"},
    "libcsv": {"files": "libcsv.c", "headers": ["csv.h"], "folder": ".", "licence": "COPYING.LESSER"},
    "cminpack": {"files": "*.c", "but": r".*_\.c", "headers": ["cminpack.h"], "folder": "cminpack-1",  # NAME_.c is Fortran's door
                 "licence": "CopyrightMINPACK.txt"},
}


def run(words, **more):
    """Its output goes to nobody but to who asks why it failed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def lacking(text):
    """What is needed is not here, which is no failure of what was to be made."""
    print(text)
    raise SystemExit(77)


def as_sources(text, ending):
    """A list of apt's that names packages, as one that names their sources."""
    return re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.M) if ending == ".sources" else re.sub(r"^deb ", "deb-src ", text, flags=re.M)


def unpack(apt, name, home):
    """With the distribution's changes; where its server has lost these, as the authors released it, which is said."""
    if subprocess.run([*apt, "source", name], cwd=home, capture_output=True).returncode:
        run([*apt, "source", "--tar-only", "--download-only", name], cwd=home)
        run(["tar", "-xf", next(home.glob(f"{name}_*.orig.tar.*"))], cwd=home)
        print(f"{name}: as its authors released it; the distribution's changes to it could not be fetched")
    return next(path for path in sorted(home.glob(f"{name}-*")) if path.is_dir())


def fetch(home):
    """Unpacks what apt-get fetches and checks, by lists of its own: the machine's stay as they are."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-source"):
        lacking("the sources come by apt-get source: apt-get install dpkg-dev, on a Debian or Ubuntu")
    home.mkdir(parents=True, exist_ok=True)
    apt = pathlib.Path("/etc/apt")
    lists, cache, places = (home / name for name in ("lists", "cache", "sources.list.d"))
    for folder in (lists / "partial", cache / "archives/partial", places):
        folder.mkdir(parents=True, exist_ok=True)
    for path in (apt / "sources.list", *apt.glob("sources.list.d/*")):
        if path.suffix in (".list", ".sources") and path.is_file():
            (places / path.name).write_text(as_sources(path.read_text(), path.suffix))
    words = ["apt-get", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={places}", "-o", f"Dir::State::Lists={lists}",
             "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User="]
    subprocess.run([*words, "update"], capture_output=True)  # a list without sources is none of ours
    return {name: unpack(words, name, home) for name in LIBRARIES}


def build_by_cmake(source, made, prefix, settings, target):
    given = {"CMAKE_BUILD_TYPE": "Release", "CMAKE_INSTALL_PREFIX": prefix, "CMAKE_INSTALL_LIBDIR": "lib", "CMAKE_POSITION_INDEPENDENT_CODE": "ON",
             "BUILD_SHARED_LIBS": "OFF", "CMAKE_POLICY_VERSION_MINIMUM": "3.5", "CMAKE_C_FLAGS": " ".join(target.flags)} | target.cmake
    words = [f"-D{name}={value}" for name, value in given.items()] + [f"-D{setting}" for setting in settings]
    run([target.program("cmake"), "-G", "Ninja", "-S", source, "-B", made, *words], env=target.env)
    run([target.program("ninja"), "-C", made, f"-j{target.jobs}", "install"], env=target.env)


def build_files(name, source, made, prefix, how, target):
    made.mkdir(parents=True)
    headers = prefix / "include" / how["folder"]
    headers.mkdir(parents=True, exist_ok=True)
    for header in how["headers"]:
        (headers / header).write_bytes((source / header).read_bytes())
    objects = []
    for path in sorted(source.glob(how["files"])):
        if not re.fullmatch(how.get("but", ""), path.name):
            objects.append(made / f"{path.stem}.o")
            run([target.cc, "-O3", "-fPIC", *target.flags, f"-I{source}", "-c", path, "-o", objects[-1]], env=target.env)
    run([*target.ar, "rcs", prefix / "lib" / f"lib{name.removeprefix('lib')}.a", *objects], env=target.env)


def build(sources, prefix, target):
    """The archives in prefix/lib, the headers in prefix/include, and in prefix/pkgconfig what finds those that Meson asks pkg-config for."""
    (prefix / "lib").mkdir(parents=True)
    (prefix / "pkgconfig").mkdir()
    for name, how in LIBRARIES.items():
        source, made = sources[name], prefix / "made" / name
        if "cmake" in how:
            build_by_cmake(source, made, prefix, how["cmake"], target)
        else:
            build_files(name, source, made, prefix, how, target)
        version = re.match(r"[0-9.]+", source.name[len(name) + 1:]).group(0)
        write_package(prefix, name, version, [prefix / "include" / how.get("folder", ".")], f"-L{prefix}/lib -l{name.removeprefix('lib')}")


def write_package(prefix, name, version, includes, libraries):
    text = f"Name: {name}\nDescription: of the wheel\nVersion: {version}\nCflags: {' '.join(f'-I{one}' for one in includes)}\nLibs: {libraries}\n"
    (prefix / "pkgconfig" / f"{name}.pc").write_text(text)
