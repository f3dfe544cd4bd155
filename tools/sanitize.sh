#!/bin/sh
# Slow tier: the quick tests under the address and undefined-behaviour sanitizers, leaks included, in a serial build.
set -eu
cd "$(dirname "$0")/.."
[ -f build-sanitize/build.ninja ] ||
    meson setup build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Dopenmp=disabled -Dbuildtype=debugoptimized
ninja -C build-sanitize
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 \
    meson test -C build-sanitize --suite quick --timeout-multiplier 10 --print-errorlogs
