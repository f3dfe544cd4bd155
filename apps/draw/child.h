/* A program as a child that may hang. */
#ifndef PLOT_CHILD_H
#define PLOT_CHILD_H

#include "plot.h"

typedef enum child_end { CHILD_DONE, CHILD_FAILED, CHILD_STOPPED, CHILD_HUNG, CHILD_NONE } child_end;

/* Runs `arguments` (NULL at the end) on three open files. Asks watch->stop while it waits; the child and its own
 * children are killed when that says so (CHILD_STOPPED) and after `limit_s` (CHILD_HUNG). CHILD_NONE: it could not be
 * started, see errno. */
child_end child_run(char *const *arguments, int in, int out, int err, const plot_watch *watch, const char *svg_path,
                    double limit_s);

#endif
