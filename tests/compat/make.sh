#!/bin/sh
# Runs, data sets and answers of one version of the program, for test_compat.py: what it wrote must stay readable.
#
#   tests/compat/make.sh PROGRAM NAME      writes tests/compat/NAME.tar.xz
#
# 0.1.0-8ffb395.tar.xz was made by commit 8ffb395, built by GCC 12 on x86-64 with AVX2. All is made with one thread and
# with paths relative to the archive's root, and kept as the program wrote it:
#   series.csv, well.csv     what the models are asked about
#   forecast, lab, grid, known
#                            runs: done/ is finished; stopped/, and scaled/ with a loss scale, were stopped in the
#                            middle of an epoch (stop_at.c)
#   known/runs/eis, known/eis_training_data, known/csv
#                            the MLX guide's spelling, in its own folders, and data sets
#   questions                NAME FOLDER WORDS, one a line; the first of them leave the runs as they are
#   answers/NAME             what the program said to them; of a resumed run also its metrics and parameters
# A network for known inputs has 50,000 parameters or more, so its runs are most of the archive. They begin with the
# same parameters (one seed) and are trained so little that many stay as they were: compressed, these are there once.
# For the same reason finished predictors are without their state.safetensors, which no answer needs.
set -eu

program=$(realpath "$1")
name=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for variable in $(env | sed -n 's/^\(TIDEMILL_[A-Z_]*\)=.*/\1/p'); do unset "$variable"; done
export XDG_CACHE_HOME="$work/cache" LC_ALL=C.UTF-8 OMP_NUM_THREADS=1
cc -shared -fPIC -O2 -o "$work/stop_at.so" "$here/stop_at.c"
mkdir -p "$work/$name/answers" "$work/$name/known"
cd "$work/$name"

# A training that is stopped where stop_at.c says: exit code 130, and a checkpoint.
stop() {
    at=$1 code=0
    shift
    STOP_AT=$at LD_PRELOAD="$work/stop_at.so" "$program" "$@" || code=$?
    test $code = 130
}

# --batch-size, --epochs, --dropout and --patience are the version's own: a later one may have others, not for this run.
small="--data series.csv --seq-len 12 --pred-len 4 --d-model 8 --d-ff 8 --e-layers 1 --lradj cosine"
small="$small --threads 1 --no-plots"
stopped="$small --n-heads 2 --learning-rate 0.003 --out forecast/stopped"
scaled="$small --n-heads 1 --batch-size 16 --epochs 3 --dropout 0 --learning-rate 0.4 --grad-clip 1 --accumulate 2"
scaled="$scaled --precision f16 --device check"
finished="--data series.csv --features MS --target dover_cm --seq-len 16 --pred-len 3 --d-model 8 --d-ff 12 --n-heads 2"
finished="$finished --e-layers 2 --batch-size 20 --epochs 3 --dropout 0 --learning-rate 0.002 --lradj type1"
finished="$finished --patience 3 --optimizer adamw --weight-decay 0.01 --activation relu --loss-function huber"
finished="$finished --threads 1 --no-plots"
one="--n_workers 1 --no-plots"
spectra="--pool-spectra 1024 --batch-size 64 --n-epochs 4 --learning-rate 0.02 $one"
grid="--recipe grid --hidden-dim 3 $spectra --out grid/stopped"
start="--hidden_dim 2 --weight_decay 0 --samples_per_pattern 2 --seed 23 $one"
known="--inputs known --masks all --batch_size 1 --n_epochs 2 $start --data_dir known/eis_training_data"
known="$known --out known/stopped"

"$program" data make tide series.csv --rows 200
"$program" eis simulate well.csv --known Rsh=460,Ra=4820,Rb=2210,Ca=1.2uF,Cb=4.7uF --noise 1%
"$program" forecast train $finished --out forecast/done
stop 12 forecast train $stopped
stop 13 forecast train $scaled --out forecast/scaled
"$program" eis train --recipe lab --hidden-dim 2 $spectra --out lab/done
stop 40 eis train $grid
(cd known
 "$program" eis --mode generate --n_ground_truths 6 --points 3 --n_workers 1
 "$program" eis generate --data_dir csv --format csv --n_ground_truths 4 --points 2 --n_workers 1
 "$program" eis --mode train --n_epochs 1 --learning_rate 1e-12 $start)
stop 1 eis train $known
rm lab/done/state.safetensors known/runs/eis/model/state.safetensors

network="eis complete --no-plots --json --method network --model"
of_lab="$network lab/done --spectrum well.csv --noise 1% --rs 0"
tiny="--hidden_dim 8 --n_epochs 2 --batch_size 64 --samples_per_pattern 20 $one --json"
cat > questions <<END
predict.csv . forecast predict forecast/done --threads 1 --no-plots
predict.json . forecast predict forecast/done --data series.csv --threads 1 --no-plots --json
best.csv . forecast predict forecast/stopped --threads 1 --no-plots
scores.json . forecast evaluate --model forecast/done --data series.csv --threads 1 --json
lab.json . $of_lab --known Rsh=460,Ra=4.8k,Rb=2.2k
lab-alone.json . $of_lab --known Ca=1.2u --no-rerank
lab-scores.json . eis evaluate lab/done --test-spectra 4 $one --json
grid.json . $network grid/stopped --spectrum well.csv --noise 1% --rs 0 --known Rsh=460
grid-scores.json . eis evaluate grid/stopped --test-spectra 4 --noise 1% $one --json
known.json . $network known/runs/eis/model --known Ra=4820
known-npz.json . $network known/runs/eis/model/best_eis_predictor_mlx.npz --known Rsh=460,Ra=4820,Rb=2210
known-scores.json . eis evaluate known/runs/eis/model --test-spectra 50 $one --json
inference.json known eis --mode inference --known Rsh=460,Ra=4820,Cb=3uF $one --json
demo.json known eis --mode inference $one --json
present.json known eis --mode generate --n_ground_truths 6 --points 3 --n_workers 1 --json
shards.json . eis train --inputs known --data_dir known/eis_training_data $tiny --out known/shards
csv.json . eis train --inputs known --data_dir known/csv --masks all --split row $tiny --out known/table
forecast/stopped . forecast train $stopped --resume must --json
forecast/scaled . forecast train $scaled --out forecast/scaled --resume must --json
grid/stopped . eis train $grid --resume --json
known/stopped . eis train $known --resume --json
resumed.csv . forecast predict forecast/stopped --threads 1 --no-plots
known-resumed.json . $network known/stopped --known Rsh=460,Ra=4820,Cb=3uF
known-resumed-2.json . $network known/stopped --known Rb=4820,Ca=3uF
finished.json . forecast train $finished --out forecast/done --resume must --json
config.json . forecast train --config forecast/done/run.json --out forecast/again --json
known-config.json known eis train --config runs/eis/model/run.json --out again --json
replaced.json . forecast train $scaled --out forecast/done --overwrite --json
guide-replaced.json known eis --mode train $tiny --seed 3
END

# Asked in a copy: the archive keeps the runs as they were before.
cp -r . "$work/asked"
mkdir answers/forecast answers/grid answers/known
while read -r answer folder words; do
    (cd "$work/asked/$folder" && "$program" $words) > "answers/$answer"
done < questions
for run in forecast/stopped forecast/scaled grid/stopped known/stopped; do
    mv "answers/$run" "answers/$run.json"
    cp "$work/asked/$run/metrics.csv" "answers/$run.csv"
    python3 "$here/test_compat.py" hashes "$work/asked/$run/model.safetensors" > "answers/$run.hashes"
done
for run in forecast/stopped forecast/scaled grid/stopped; do
    cp "$work/asked/$run/model.safetensors" "answers/$run.safetensors"
done

cd ..
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2000-01-01 -cf "$name.tar" "$name"
xz -9e "$name.tar"
cp "$name.tar.xz" "$here"
ls -l "$here/$name.tar.xz"
