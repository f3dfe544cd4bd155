#!/bin/sh
# The service against its own description by Schemathesis, with all of its checks: first without a token, then with one.
#
#     bench/serve/schemathesis.sh build/cli/tidemill WORK [examples of each path, 20]
#
# WORK, made if need be, keeps a virtual environment with the newest Schemathesis of PyPI, models and what was said.
set -eu
program=$(realpath "$1") work=$2 examples=${3:-20}
mkdir -p "$work"
work=$(realpath "$work")
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
export TIDEMILL_CUDA=none TIDEMILL_OPENCL=none OMP_NUM_THREADS=1 PYTHONPATH="$here"
[ -x "$work/venv/bin/st" ] || { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q schemathesis; }
if [ ! -d "$work/models/known" ]; then
    "$program" data make tide "$work/tide.csv" --rows 400 --overwrite -q
    "$program" forecast train --data "$work/tide.csv" --seq-len 24 --pred-len 4 --d-model 16 --d-ff 16 --n-heads 2 --e-layers 1 --epochs 1 --out "$work/models/waves" --no-plots -q
    "$program" eis generate --data-dir "$work/circuits" --n-ground-truths 4 --points 4 -q
    "$program" eis train --inputs known --data-dir "$work/circuits" --samples-per-pattern 40 --epochs 1 --hidden-dim 16 --out "$work/models/known" --no-plots -q
fi
umask 077
echo "0123456789abcdef0123" > "$work/tokens"

unfinished() {
    curl -s -H "$header" localhost:8793/api/v1/jobs |
        python3 -c "import json, sys; print(*[j['id'] for j in json.load(sys.stdin) if j['state'] in ('queued', 'running')])"
}

# check NAME HEADER WORDS: the words are the service's.
check() {
    name=$1 header=$2
    shift 2
    rm -rf "$work/state" "$work/.schemathesis"
    "$program" serve --port 8793 --models "$work/models" --state "$work/state" --no-access-log "$@" 2> "$work/$name.err" &
    service=$!
    until curl -sf localhost:8793/healthz > "$work/healthz"; do kill -0 "$service" && sleep 0.1; done
    code=0
    "$work/venv/bin/st" --config-file "$here/schemathesis.toml" run http://127.0.0.1:8793/openapi.json -c all --continue-on-failure --max-examples "$examples" -w 2 ${header:+-H "$header"} \
        > "$work/$name.txt" 2>&1 || code=$?
    # Jobs outlive their service.
    while jobs=$(unfinished) && [ "$jobs" ]; do
        for job in $jobs; do curl -s -H "$header" -X POST "localhost:8793/api/v1/jobs/$job/cancel" > "$work/cancelled"; done
        sleep 0.2
    done
    kill "$service"
    wait "$service"
    echo "$name: $(grep -A1 '^Test cases' "$work/$name.txt" | tail -1 | sed 's/^ *//'), exit $code"
    [ "$code" = 0 ] || failed=1
}
failed=0
check open ""
check token "Authorization: Bearer 0123456789abcdef0123" --token-file "$work/tokens"
exit $failed
