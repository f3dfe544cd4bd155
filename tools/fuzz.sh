#!/bin/sh
# Builds every fuzz target with clang, libFuzzer, ASan and UBSan, and runs each for MINUTES (1), from its seeds and what earlier
# runs found. Prints a line a target: inputs tried, coverage, crashes. 1 if any crashed; its inputs stay in FOLDER/NAME-found.
#   tools/fuzz.sh [MINUTES [NAME...]]
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-1}
[ $# -gt 0 ] && shift
folder=build-fuzz
[ -f "$folder/build.ninja" ] ||
    CC=${CC:-clang} meson setup "$folder" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
        -Dbuildtype=debugoptimized -Dc_args=-fsanitize=fuzzer-no-link
names=${*:-$(ninja -C "$folder" -t targets all | sed -n 's|^tests/fuzz/fuzz_\([a-z_]*\): c_LINKER$|\1|p' | grep -v smoke)}
# shellcheck disable=SC2046
ninja -C "$folder" tests/fuzz/fuzz_smoke $(for n in $names; do
    echo "tests/fuzz/fuzz_$n"
    ninja -C "$folder" -t query "tests/fuzz/smoke_$n" >/dev/null 2>&1 && echo "tests/fuzz/smoke_$n"
done)
bin=$folder/tests/fuzz
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
crashed=0
for n in $names; do
    corpus=$folder/corpus-$n found=$folder/$n-found log=$folder/fuzz-$n.log
    mkdir -p "$corpus" "$found"
    # What earlier runs found that reached something new; names with nothing kept are none of the archive's.
    tar -xJf tests/fuzz/corpus.tar.xz -C "$folder" --transform "s|^$n/|corpus-$n/|" "$n" 2>/dev/null || true
    case $n in
    eis_truths_npz) mkdir -p "$folder/seeds" && "$bin/fuzz_smoke" --seeds "$folder/seeds" && find "$folder/seeds" -name 'npz-*' -exec cp {} "$corpus" \; ;;
    eis_read)
        cp tests/eis/reported/*.[a-zD]* "$corpus"
        ninja -C "$folder" tests/eis/test_eis_read_formats && "$folder/tests/eis/test_eis_read_formats" --seeds "$corpus"
        ;;
    esac
    if [ -x "$bin/smoke_$n" ]; then "$bin/smoke_$n" --seeds "$corpus"
    else
        mkdir -p "$folder/seeds" && "$bin/fuzz_smoke" --seeds "$folder/seeds"
        find "$folder/seeds" -name "$n-*" -exec cp {} "$corpus" \;
    fi
    "$bin/fuzz_$n" -max_total_time=$((minutes * 60)) -timeout=20 -rss_limit_mb=4096 -max_len=65536 -artifact_prefix="$found/" \
        "$corpus" >"$log" 2>&1 || true
    runs=$(sed -n 's/^#\([0-9][0-9]*\).*/\1/p' "$log" | tail -1)
    coverage=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -1)
    crashes=$(find "$found" -type f | wc -l)
    [ "$crashes" -eq 0 ] || crashed=1
    printf '%-12s %12s inputs  %7s edges  %3s crashes  %s\n' "$n" "${runs:-0}" "${coverage:-0}" "$crashes" "$log"
done
exit $crashed
