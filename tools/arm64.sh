#!/bin/sh
# Slow tier: cross-compiles for 64-bit ARM Linux and runs the op table and the kernel tests there, emulated by qemu-user.
# Needs gcc-aarch64-linux-gnu, qemu-user and Debian's archive, from which the libraries for ARM are unpacked into
# build-arm64/root; nothing of this machine's packages changes. Prints what bench/results/arm64.txt keeps.
set -eu
cd "$(dirname "$0")/.."
for tool in aarch64-linux-gnu-gcc qemu-aarch64 apt-get dpkg-deb meson; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (apt-get install gcc-aarch64-linux-gnu qemu-user)"; exit 77; }
done
build=$PWD/build-arm64
root=$build/root
packages='libc6-dev libgomp1 libsleef-dev libdnnl-dev librandom123-dev libjansson-dev libzip-dev libcsv-dev zlib1g-dev libcmocka-dev'

# An apt of its own that knows no installed package and one architecture.
private_apt() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$build/apt" -o Dir::Cache="$build/apt/cache" \
        -o Dir::State::status="$build/apt/status" -o APT::Sandbox::User=root -o Dir::Etc::sourceparts=/etc/apt/sources.list.d "$@"
}

fetch_libraries() {
    mkdir -p "$build/apt/lists/partial" "$build/apt/cache/archives/partial" "$root"
    : >"$build/apt/status"
    private_apt update
    # shellcheck disable=SC2086
    private_apt install --download-only --yes --no-install-recommends $packages
    for package in "$build"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
    rm -rf "$build/apt"
}

write_cross_file() {
    cat >"$build/arm64.ini" <<END
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$root']
[built-in options]
c_args = ['--sysroot=$root']
c_link_args = ['--sysroot=$root']
[properties]
sys_root = '$root'
pkg_config_libdir = ['$root/usr/lib/aarch64-linux-gnu/pkgconfig', '$root/usr/share/pkgconfig']
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
}

mkdir -p "$build"
[ -f "$root/usr/include/jansson.h" ] || fetch_libraries >"$build/fetch.log" 2>&1 || { tail -n 20 "$build/fetch.log"; exit 1; }
write_cross_file
[ -f "$build/out/build.ninja" ] || meson setup "$build/out" --cross-file "$build/arm64.ini" -Dcurl=disabled >"$build/setup.log" ||
    { tail -n 30 "$build/setup.log"; exit 1; }
tests='maps products index memory'
targets=cli/tidemill
for name in $tests; do targets="$targets tests/backends/test_backends_$name"; done
# shellcheck disable=SC2086
ninja -C "$build/out" --quiet $targets

run() { qemu-aarch64 -L "$root" "$@"; }
echo "aarch64-linux, gcc $(aarch64-linux-gnu-gcc -dumpfullversion), emulated by $(qemu-aarch64 --version | sed -n '1s/ (.*//p')"
golden=${TIDEMILL_SHARED:-../shared}/golden
set -- selftest --quiet --json
[ -d "$golden" ] && set -- "$@" --golden "$golden"
run "$build/out/cli/tidemill" "$@"
status=0
for name in $tests; do
    if OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive run "$build/out/tests/backends/test_backends_$name" >"$build/$name.log" 2>&1; then
        echo "backends $name: passed"
    else
        status=1
        echo "backends $name: FAILED"
        grep -v '^\[' "$build/$name.log" || true
    fi
done
exit $status
