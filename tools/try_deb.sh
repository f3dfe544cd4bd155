#!/bin/sh
# The Debian packages in DIR (tools/deb.sh) on a bare root of this machine's release: installed by apt, used, a program built on them, removed, and
# nothing left. Mirrors and proxies are those that this machine's own apt has. Needs root, debootstrap and chroot; ROOT (DIR/root) is made, and kept;
# the bare root stays as DIR/bare.tar for another time.
#   tools/try_deb.sh DIR [ROOT]
# What stands in single quotes is for apt, or for the shell in the root.
# shellcheck disable=SC2016
set -eu
[ $# -gt 0 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$(cd "$1" && pwd)
root=${2:-$folder/root}
[ "$(id -u)" = 0 ] || { echo 'skipped: only root makes a root'; exit 77; }
command -v debootstrap >/dev/null || { echo 'skipped: debootstrap is not installed (apt-get install debootstrap)'; exit 77; }
[ ! -e "$root" ] || { echo "$root is there already: remove it, or name another" >&2; exit 2; }
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$suite //p" | head -n 1)
[ -n "$mirror" ] || { echo "apt knows no mirror of $suite" >&2; exit 1; }

mounted=''
leave() { for place in $mounted; do umount "$place" || true; done; }
trap leave EXIT
note() { printf '\n$ %s\n' "$1"; }
# $1: what a user would type there.
try() { note "$1"; chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$1"; }
# The same, with its talk in a file.
quietly() { try "$1" >>"$folder/root.log" 2>&1 || { tail -n 30 "$folder/root.log"; exit 1; }; note "$1"; }
everything() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./debs -o -path ./root \) -prune -o -print | sort); }

: >"$folder/root.log"
note "debootstrap --variant=minbase $suite ROOT"
if [ ! -f "$folder/bare.tar" ]; then
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$folder/debootstrap.log" 2>&1 || { tail -n 20 "$folder/debootstrap.log"; exit 1; }
    tar -C "$root" --one-file-system -cf "$folder/bare.tar.new" . && mv "$folder/bare.tar.new" "$folder/bare.tar"
else
    mkdir "$root" && tar -C "$root" -xpf "$folder/bare.tar"
fi
if mount -t proc proc "$root/proc" 2>/dev/null; then mounted="$root/proc"; else echo 'Without /proc: it cannot be mounted here.'; fi
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
apt-config dump | grep '^Acquire::http' >"$root/etc/apt/apt.conf.d/00machine" || true
mkdir "$root/debs"
cp "$folder"/*.deb "$root/debs"
rm -f "$root"/debs/*-dbgsym_*

try '. /etc/os-release; echo "$PRETTY_NAME"; dpkg -l | grep -c ^ii'
quietly 'apt-get update && apt-get install -y man-db gcc libc6-dev pkg-config'
everything >"$folder/root-before"
quietly 'apt-get install -y /debs/*.deb'
try "dpkg-query -W -f='\${Package} \${Version} \${db:Status-Status} \${Installed-Size} kB\n' '*tidemill*'"
try 'tidemill --version'
try 'tidemill selftest --quiet'
try 'man -w tidemill tidemill-forecast-train tidemill-eis-complete'
try 'mkdir /tmp/program && cd /tmp/program && cp /usr/share/doc/libtidemill-dev/examples/embed/embed.c . && gcc embed.c $(pkg-config --cflags --libs tidemill) -o shared && ./shared && ldd shared | grep tidemill | sed "s/ (.*//"'
try 'cd /tmp/program && gcc embed.c $(pkg-config --cflags tidemill) $(pkg-config --variable=libdir tidemill)/libtidemill.a $(pkg-config --static --libs-only-l tidemill | sed s/-ltidemill//) -o static && ./static && ! ldd static | grep tidemill'
try 'cd /tmp/program && tidemill data make tide tides.csv && tidemill forecast train --data tides.csv --out run --arch dlinear --epochs 1 --no-plots --quiet && tidemill forecast predict run --output next.csv --no-plots && head -n 2 next.csv | cut -c1-60'
quietly "apt-get purge -y '*tidemill*'"
everything >"$folder/root-after"
note 'what the packages left behind'
packages=$(chroot "$root" dpkg-query -W -f='${Package} ' '*tidemill*' 2>/dev/null || true)
left=$(grep -i tidemill "$folder/root-after" | grep -v '^\./var/cache/apt\|^\./var/log' || true)
[ -z "$packages$left" ] || { echo "$packages"; echo "$left"; exit 1; }
echo nothing
