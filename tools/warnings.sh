#!/bin/sh
# Slow tier: the whole tree under gcc and clang with -Wall -Wextra -Wconversion, every warning an error.
set -eu
cd "$(dirname "$0")/.."
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || { echo "skipped: $compiler is not installed"; continue; }
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    CC=$compiler meson setup "$folder" --werror -Dbuildtype=debugoptimized >"$folder.log" || { cat "$folder.log"; exit 1; }
    ninja -C "$folder" -k 0
    rm -rf "$folder" "$folder.log"
    echo "$compiler: no warnings"
done
