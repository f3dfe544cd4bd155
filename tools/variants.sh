#!/bin/sh
# Slow tier: every choice of libraries and instruction set builds, and passes the self-test and the kernel tests.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tests='backends/test_backends_maps backends/test_backends_products backends/test_backends_index backends/test_backends_memory
    runtime/test_runtime_engine nn/test_nn_nn optim/test_optim_optim'
targets=cli/tidemill
for name in $tests; do targets="$targets tests/$name"; done
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
status=0

# $1: what it is called; $2: a build folder.
try() {
    "$2/cli/tidemill" selftest --quiet >"$folder/log" 2>&1 || { echo "$1: FAILED: selftest"; cat "$folder/log"; status=1; return; }
    for name in $tests; do
        "$2/tests/$name" >"$folder/log" 2>&1 || { echo "$1: FAILED: $name"; grep -v '^\[' "$folder/log" || true; status=1; return; }
    done
    echo "$1: passed"
}

# Arguments: options of meson setup.
variant() {
    # shellcheck disable=SC2086
    if meson setup "$folder/build" "$@" >"$folder/log" 2>&1 && ninja -C "$folder/build" --quiet $targets >"$folder/log" 2>&1; then
        try "$*" "$folder/build"
    else
        echo "$*: FAILED to build"
        tail -n 30 "$folder/log"
        status=1
    fi
}

variant -Dbuildtype=release
for isa in avx512 avx2 baseline; do
    export TIDEMILL_ISA=$isa
    case "$("$folder/build/cli/tidemill" selftest --quiet 2>/dev/null)" in
        '0 passed'*) echo "TIDEMILL_ISA=$isa: skipped: not on this processor" ;;
        *) try "TIDEMILL_ISA=$isa" "$folder/build" ;;
    esac
done
unset TIDEMILL_ISA
TIDEMILL_ONEDNN=none
export TIDEMILL_ONEDNN
try TIDEMILL_ONEDNN=none "$folder/build"
unset TIDEMILL_ONEDNN
for option in -Donednn=disabled '-Donednn=disabled -Dcblas=enabled' -Dsleef=disabled -Dcurl=disabled; do
    rm -rf "$folder/build"
    # shellcheck disable=SC2086
    case "$option" in
        *cblas*) pkg-config --exists openblas || { echo "$option: skipped: no openblas (apt-get install libopenblas-dev)"; continue; } ;;
        *onednn*) option="$option -Dcblas=disabled" ;;
    esac
    # shellcheck disable=SC2086
    variant $option
done
exit $status
