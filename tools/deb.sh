#!/bin/sh
# Builds the Debian packages of the tree as git knows it, in a copy: DIR/tidemill, which is made anew; the packages are beside it in DIR, and
# what lintian says of them in DIR/lintian. The web page is in them where tools/page.sh has installed its packages.
#   tools/deb.sh DIR [OPTION of dpkg-buildpackage...]
set -eu
[ $# -gt 0 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$1
shift
for tool in git dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (apt-get install git build-essential debhelper lintian)"; exit 77; }
done
lacking=$(cd "$root" && dpkg-checkbuilddeps 2>&1) || { echo "skipped: ${lacking#*error: }"; exit 77; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
rm -rf "$folder/tidemill"
mkdir "$folder/tidemill"
# Of now: dpkg sets back to debian/changelog what is later, and leaves what is older as it is.
git -C "$root" ls-files -z | (cd "$root" && tar --null --files-from=- -cf -) | tar -xmf - -C "$folder/tidemill"
page=apps/serve/page/node_modules
if [ -d "$root/$page" ]; then cp -a "$root/$page" "$folder/tidemill/$page"; else echo 'Without the web page: tools/page.sh installs what it is made with.'; fi
cd "$folder/tidemill"
dpkg-buildpackage -us -uc -b "$@" >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log"; exit 1; }
lintian --info --no-tag-display-limit "$folder"/*.changes >"$folder/lintian" 2>&1 || { cat "$folder/lintian"; exit 1; }
grep -c '^E:' "$folder/lintian" | sed 's/^/lintian: errors: /' || true
grep '^[EW]:' "$folder/lintian" || true
cd "$folder"
sha256sum ./*.deb
