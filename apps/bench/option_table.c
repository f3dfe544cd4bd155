/* What can be asked of the benchmarks in text. */
#include "bench.h"

static const tide_option rows[BENCH_OPTIONS] = {
    { "cases", TIDE_OPTION_TEXT(bench_asked, cases), "etth1,m1,ecl,traffic,eis512,eis8192", 0, "Benchmark", "NAMES",
      "what to time, separated by commas; also: predict1, predict64, predict1024, matmul4096, eis-train-50k, "
      "eis-train-500k, eis-train-5m, eis-spectra, eis-exact, eis-memory" },
    { "precision", TIDE_OPTION_TEXT(bench_asked, precision), "f32", 0, "Benchmark", "NAMES",
      "f32, bf16, f16, auto, or several separated by commas", .suggested = "f32|bf16|f16|auto" },
    { "compile-mode", TIDE_OPTION_CHOICE(bench_asked, mode, "default|reduce-overhead|max-autotune"), NULL, 0,
      "Benchmark", NULL, "max-autotune times candidates first and keeps its choices" },
    { "threads", TIDE_OPTION_INT(bench_asked, threads, 0, 4096), NULL, TIDE_OPTION_RESOURCE, "Benchmark", "N",
      "threads to compute with; 0: the physical cores this process may use", .aliases = "n-workers|workers" },
    { "seconds", TIDE_OPTION_REAL(bench_asked, seconds, 1e-3, 1e6), "3", 0, "Benchmark", "S",
      "how long the timed steps of a case take, about" },
    { "out", TIDE_OPTION_TEXT(bench_asked, out), NULL, TIDE_OPTION_RESOURCE, "Benchmark", "DIR",
      "also write bench.json there, and the times of single runs as SVG and CSV" },
    { "against", TIDE_OPTION_TEXT(bench_asked, against), NULL, TIDE_OPTION_RESOURCE, "Benchmark", "FILE",
      "run this script in turns with ours and print the ratios, such as bench/peers/torch_bench.py or jax_bench.py" },
    { "python", TIDE_OPTION_TEXT(bench_asked, python), "python3", TIDE_OPTION_RESOURCE, "Benchmark", "FILE",
      "the Python that runs the script" },
    { "peer-modes", TIDE_OPTION_TEXT(bench_asked, modes), NULL, 0, "Benchmark", "NAMES",
      "modes that the script runs, by default eager,compile,amp,compile-amp and on cuda also graph,graph-compile-amp" },
    { "rounds", TIDE_OPTION_INT(bench_asked, rounds, 1, 99), "3", 0, "Benchmark", "N",
      "times that ours and theirs are run in turns; without a script 1" },
    { "explain", TIDE_OPTION_BOOL(bench_asked, explain), NULL, 0, "Benchmark", NULL,
      "also print each training step's kernels with their times" },
    { "quick", TIDE_OPTION_BOOL(bench_asked, quick), NULL, TIDE_OPTION_HIDDEN, "Benchmark", NULL,
      "too short to believe" },
    { "device", TIDE_OPTION_TEXT(bench_asked, device), "cpu", TIDE_OPTION_RESOURCE, "Machine", "DEVICE",
      "the device that is timed, NAME or NAME:INDEX" },
};

const tide_option_table *bench_table(void) {
    static const tide_option_table table = { rows, BENCH_OPTIONS, sizeof(bench_asked), offsetof(bench_asked, given) };
    return &table;
}
