#!/bin/sh
# Lint: every shell script; clang-tidy on the C files that differ from main (on main: that the last commit changed), which must be silent
# (but for Python's extension, which this build does not know how to compile);
# what clang-format would write in the changed lines, as advice: tables and declarations are laid out by hand here.
set -eu
cd "$(dirname "$0")/.."
status=0

# shellcheck disable=SC2046
shellcheck -x demo check .ci/run $(git ls-files 'tools/*.sh') || status=1

base=$(git merge-base HEAD main 2>/dev/null || true)
[ -n "$base" ] && [ "$base" != "$(git rev-parse HEAD)" ] || base=$(git rev-parse 'HEAD~' 2>/dev/null || git rev-parse HEAD)
changed=$(git diff --name-only --diff-filter=d "$base" -- '*.c' '*.h' | grep -v '^tests/install/\|^python/' || true)
sources=$(printf '%s\n' "$changed" | grep '\.c$' || true)
if [ -n "$sources" ]; then
    # shellcheck disable=SC2086
    clang-tidy -p build --quiet --warnings-as-errors='*' $sources || status=1
fi

format=$(git clang-format --quiet --diff "$base" 2>/dev/null || true)
case "$format" in
    '' | 'no modified files to format' | *'did not modify any files') ;;
    *) echo 'clang-format would write (advice):'; printf '%s\n' "$format" ;;
esac
[ "$status" = 0 ] && echo 'lint: nothing found'
exit $status
