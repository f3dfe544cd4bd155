#!/bin/sh
# Slow tier: the whole tree under gcc and clang with -Wall -Wextra -Wconversion, every warning an error.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || { echo "skipped: $compiler is not installed"; continue; }
    CC=$compiler meson setup "$folder/$compiler" --werror -Dbuildtype=debugoptimized >"$folder/log" || { cat "$folder/log"; exit 1; }
    ninja -C "$folder/$compiler" -k 0 --quiet
    echo "$compiler: no warnings"
done
