#!/bin/sh
# Slow tier: the quick tests under the address and undefined-behaviour sanitizers, leaks included. With the argument
# `thread`: the tests in which threads share anything, under the thread sanitizer. The compiler is $CC (gcc).
set -eu
cd "$(dirname "$0")/.."
CC=${CC:-gcc}
export CC
kind=${1:-address,undefined}
case "$kind" in
    address,undefined) folder=build-sanitize-$CC ;;
    thread) folder=build-sanitize-thread-$CC ;;
    *) echo "usage: $0 [thread]" >&2; exit 2 ;;
esac
[ -f "$folder/build.ninja" ] || meson setup "$folder" -Db_sanitize="$kind" -Db_lundef=false -Dbuildtype=debugoptimized
if [ "$kind" = thread ]; then
    set -- base_parallel 'backends maps' 'backends products' 'backends index' 'backends memory' 'backends native' 'backends opencl' \
        ranks train_fit_ranks runtime_callers runtime_engine runtime_explain forecast_train_run forecast_trainer forecast_model_handle eis_trainer eis_solve \
        eis_generate eis_generate_files eis_predictor forecast_tune \
        eis_evaluate
else
    ninja -C "$folder"
    set -- --suite quick
fi
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS="halt_on_error=1:suppressions=$PWD/tools/tsan.supp" \
    meson test -C "$folder" "$@" --timeout-multiplier 10 --print-errorlogs
[ "$kind" = thread ] || tools/sanitize_python.sh
