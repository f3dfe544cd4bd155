#!/bin/sh
# Slow tier: the op table, the derivatives and (TIDEMILL_SHARED) the golden files on ARM64, cross-compiled, under qemu-user.
#
# Needs gcc-aarch64-linux-gnu, qemu-user and the arm64 libraries: dpkg --add-architecture arm64, then
# libjansson-dev:arm64 libzip-dev:arm64 libcsv-dev:arm64 zlib1g-dev:arm64 (and libsleef-dev:arm64 for NEON's functions).
set -eu
cd "$(dirname "$0")/.."
for program in aarch64-linux-gnu-gcc qemu-aarch64 meson; do
    command -v "$program" >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
folder=build-arm64
cat >"/tmp/tidemill-arm64.$$" <<EOF
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkg-config = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu']
[properties]
pkg_config_libdir = ['/usr/lib/aarch64-linux-gnu/pkgconfig', '/usr/share/pkgconfig']
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
EOF
[ -f "$folder/build.ninja" ] ||
    meson setup "$folder" --cross-file "/tmp/tidemill-arm64.$$" -Dtests=false -Dcurl=disabled -Donednn=disabled -Dopenmp=disabled
rm -f "/tmp/tidemill-arm64.$$"
ninja -C "$folder" cli/tidemill
golden=${TIDEMILL_SHARED:-../shared}/golden
set -- selftest --device cpu
[ -d "$golden" ] && set -- "$@" --golden "$golden"
exec qemu-aarch64 -L /usr/aarch64-linux-gnu "$folder/cli/tidemill" "$@"
