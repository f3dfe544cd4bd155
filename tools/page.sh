#!/bin/sh
# Installs what the web page is built with, from its lock file, beside its sources (apps/serve/page/node_modules). The only step of the page that needs a
# network; the build and the page itself need none. Called by ./demo serve and ./check --slow; harmless when all is there.
set -eu
cd "$(dirname "$0")/../apps/serve/page"

command -v node >/dev/null && command -v npm >/dev/null || {
    echo "page: Node.js 18 or later with npm is needed to build the web page (Debian: apt-get install nodejs npm)" >&2
    exit 1
}
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
[ "$major" -ge 18 ] || {
    echo "page: Node.js $(node --version) is here; 18 or later is needed" >&2
    exit 1
}
# npm leaves its own copy of the lock file behind: as new as ours means that nothing changed.
if [ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then exit 0; fi
npm ci --ignore-scripts --no-audit --no-fund
