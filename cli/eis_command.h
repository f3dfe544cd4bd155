/* What the commands of tidemill eis share. (eis.c) */
#ifndef CLI_EIS_COMMAND_H
#define CLI_EIS_COMMAND_H

#include <tidemill/eis.h>

#include "commands.h"

typedef tide_status (*eis_command_function)(const eis_options *, eis_listener, void *, eis_result *, tide_failure *);

/* The library's notes as talk; `user` is the cli_call. */
int eis_command_listen(void *user, const eis_event *event);
/* Runs it on these options, prints its result. Returns the exit code. */
int eis_command_run(cli_call *call, const eis_options *options, eis_command_function function);

#endif
