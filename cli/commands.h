/* The subcommands. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <tidemill/forecast.h>

#include "cli.h"

extern const cli_command command_forecast, command_train, command_evaluate, command_predict;  /* forecast.c */
extern const cli_command command_tune, command_update, command_backtest, command_export,
                         command_import, command_forecast_explain;                            /* forecast.c */
/* eis.c */
extern const cli_command command_eis_complete, command_eis_check, command_eis_drt, command_eis_convert;
extern const cli_command command_eis_generate, command_eis_train, command_eis_evaluate;
extern const cli_command command_eis_fit, command_eis_batch;  /* eis_fit.c */
extern const cli_command command_eis, command_eis_full, command_eis_simulate;  /* eis_mode.c */
extern const cli_command command_data_list, command_data_get, command_data_make;  /* data.c */
extern const cli_command command_bench;                                       /* bench.c */
bool bench_cli_tell(void *user, const char *what);  /* a benchmark's parts as talk; `user` is the call. False: stop */
bool bench_cli_stop(void *user);
extern const cli_command command_machine;                                     /* machine.c */
extern const cli_command command_serve;                                       /* serve.c */
extern const cli_command command_selftest;                                    /* selftest.c */
extern const cli_command command_explain;                                     /* explain.c */

/* The option of a command without a library's table; the names stand for themselves (command_values). */
#define CLI_ROW_DEVICE(S, help) \
    { "device", TIDE_OPTION_TEXT(S, device), "cpu", TIDE_OPTION_RESOURCE, "Machine", "DEVICE", help }

/* forecast.c: its events as talk (`user` is the call). */
int forecast_cli_show(void *user, const forecast_event *e);

#endif
