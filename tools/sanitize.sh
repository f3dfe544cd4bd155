#!/bin/sh
# Slow tier: the quick tests under the address and undefined-behaviour sanitizers, leaks included, in a serial build.
# The compiler is $CC (gcc).
set -eu
cd "$(dirname "$0")/.."
CC=${CC:-gcc}
export CC
folder=build-sanitize-$CC
[ -f "$folder/build.ninja" ] ||
    meson setup "$folder" -Db_sanitize=address,undefined -Db_lundef=false -Dopenmp=disabled -Dbuildtype=debugoptimized
ninja -C "$folder"
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 \
    meson test -C "$folder" --suite quick --timeout-multiplier 10 --print-errorlogs
