#!/bin/sh
# Two builds of the Debian packages, in folders, time zones, languages and with file masks of their own, one after another: are they the same
# bytes? Compared are the packages and, file by file, what `ninja install` put into DESTDIR. Differences are shown by diffoscope where it is.
#   tools/reproducible.sh DIR [ONE]      ONE: a folder in which tools/deb.sh has built the same tree already
set -eu
[ $# -gt 0 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
one=${2:-$folder/one}
two=$folder/two-which-has-a-longer-name

# What a compiler made for the other build is not made again by one that remembers it, unless each remembers for itself.
[ $# -gt 1 ] || (umask 022; CCACHE_DIR=$folder/cache-one TZ=UTC LC_ALL=C.UTF-8 "$here/deb.sh" "$one")
one=$(cd "$one" && pwd)
(umask 077; CCACHE_DIR=$folder/cache-two TZ=Pacific/Kiritimati LC_ALL=C LANGUAGE=tr HOME=/nonexistent "$here/deb.sh" "$two" -j3)

status=0
for package in "$one"/*.deb; do
    name=$(basename "$package")
    if cmp -s "$package" "$two/$name"; then echo "same: $(sha256sum <"$package" | cut -c1-64) $name"; continue; fi
    status=1
    echo "DIFFERENT: $name"
    ! command -v diffoscope >/dev/null || diffoscope --text - --max-text-report-size 20000 "$package" "$two/$name" || true
done
tree() { (cd "$1/tidemill/debian/tmp" && find . -printf '%M %p -> %l\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2); }
tree "$one" >"$folder/tree-one"
tree "$two" >"$folder/tree-two"
if cmp -s "$folder/tree-one" "$folder/tree-two"; then echo "same: $(grep -c '^-' "$folder/tree-one") installed files"
else status=1; echo 'DIFFERENT: what is installed'; diff "$folder/tree-one" "$folder/tree-two" | head -n 20; fi
exit $status
