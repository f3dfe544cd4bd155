/* The benchmark options of forecast training: --benchmark, --benchmark-only. */
#ifndef CLI_FORECAST_BENCH_H
#define CLI_FORECAST_BENCH_H

#include "commands.h"

typedef struct forecast_bench {
    bool    after, only;         /* --benchmark, --benchmark-only */
    int64_t iterations, warmup;
    char   *table;               /* the report as text, once there is one; free it */
} forecast_bench;

const tide_option_table *forecast_bench_table(void);

/* Refuses what a benchmark cannot time, before anything is trained. */
tide_status forecast_bench_check(const forecast_bench *b, const forecast_options *o, tide_failure *failure);
/* The Mac guide's model on made-up data: prints the report. Returns the exit code. */
int forecast_bench_only(cli_call *call, const forecast_bench *b, const forecast_options *o);
/* The run that was just trained: adds the report to r->json, as a table, and to the run's folder. */
tide_status forecast_bench_after(cli_call *call, forecast_bench *b, const forecast_options *o, forecast_result *r,
                                 tide_failure *failure);

#endif
