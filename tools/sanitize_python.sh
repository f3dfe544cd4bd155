#!/bin/sh
# The Python package's tests with the extension, and the library in it, under the address and undefined-behaviour sanitizers.
# Python itself is as it is: its own allocations are handed to malloc, and what it leaves behind at its end is not told.
set -eu
cd "$(dirname "$0")/.."
folder=build-python-sanitize
environment=$folder/environment
if [ ! -x "$environment/bin/pytest" ]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install -q meson ninja numpy pytest hypothesis || { echo 'no package index: skipped'; exit 0; }
fi
PATH=$PWD/$environment/bin:$PATH
[ -f "$folder/tree/build.ninja" ] ||
    meson setup "$folder/tree" -Dpython=true -Dtests=false -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
ninja -C "$folder/tree"
mkdir -p "$folder/package/tidemill"
cp python/tidemill/*.py "$folder"/tree/python/_tidemill*.so "$folder/package/tidemill/"
compiler=${CC:-gcc}
# Times and the memory that is resident mean nothing here, and stubs need no second look.
PYTHONMALLOC=malloc PYTHONPATH=$PWD/$folder/package ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    LD_PRELOAD="$($compiler -print-file-name=libasan.so) $($compiler -print-file-name=libubsan.so)" \
    python -m pytest -q -p no:cacheprovider tests/python --ignore tests/python/test_stubs.py --deselect tests/python/test_graph.py::test_nothing_leaks
