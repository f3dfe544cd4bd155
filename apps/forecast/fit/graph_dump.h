/* What each pass of the compiler makes of a program, for --dump-graph and --verbose. */
#ifndef FORECAST_GRAPH_DUMP_H
#define FORECAST_GRAPH_DUMP_H

#include "scoring.h"

/* Compiles `wanted` again and writes FOLDER/PROGRAM-1-build.txt, PROGRAM-2-simplify.txt, ..., and the same as .dot for
 * the passes that have a drawing. Makes the folder. */
tide_status graph_dump_write(const char *folder, const char *program, tide_list wanted, tide_failure *failure);

/* Could it, or is a file in the way (owned_check)? Changes nothing. */
tide_status graph_dump_check(const char *folder, const char *program, tide_list wanted, tide_failure *failure);

/* Tells, as a VERBOSE event, how many values or kernels each pass leaves. */
tide_status graph_dump_tell(const listener *l, const char *program, tide_list wanted, tide_failure *failure);

#endif
