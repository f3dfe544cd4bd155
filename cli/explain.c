/* tidemill explain: a run's training step, kernel by kernel. */
#include <stdlib.h>

#include "commands.h"

static int run(cli_call *call) {
    forecast_options *o = call->target;
    tide_failure failure = { 0 };
    forecast_result *r = calloc(1, sizeof *r);
    if (!r) return EXIT_FAILED;
    tide_status status = forecast_option_set(o, "model", call->words[0], &failure);
    if (status == TIDE_OK) status = forecast_explain(o, forecast_cli_show, call, r, &failure);
    progress_end();
    int code = status == TIDE_OK ? (call->json ? print_result(r->json, true) : print_page(r->text))
                                 : report_failure(&failure, call->json);
    forecast_result_free(r);
    free(r);
    return code;
}

const cli_command command_explain = {
    .name = "explain",
    .words = "RUN",
    .least_words = 1,
    .most_words = 1,
    .summary = "show a run's training step, kernel by kernel: work, memory, time, what was fused",
    .more = "Kernels are listed by phase: a phase begins when the one before it is done. % is a kernel's share of the "
            "time of all\nkernels. roof is its share of what `tidemill machine --measure` found: of the arithmetic "
            "rate for products, of the\nmemory bandwidth for others (over 100 % where data come from a cache). "
            "Made-up rows stand for the data, and nothing\nin RUN is changed.\n\n"
            "  tidemill explain runs/sales\n  tidemill explain runs/sales --batch-size 128 --precision bf16 --json\n"
            "  tidemill forecast train --explain ...\n\n"
            "What its forecasts go by, inputs, attention, drift: tidemill forecast explain.\n",
    .rows = { { forecast_table, FORECAST_FOR_EXPLAIN, 0 } },
    .target_size = sizeof(forecast_options),
    .run = run,
};
