#include "plot_told.h"

#include <stdio.h>
#include "eis/options/tell.h"

static bool stop(void *user, const char *svg_path) {
    const told *to = user;
    char        line[600];
    snprintf(line, sizeof line, "drawing %.500s", svg_path);
    return eis_tell(to->listener, to->user, EIS_PROGRESS, line);
}

static void warn(void *user, const char *message) {
    const told *to = user;
    eis_tell(to->listener, to->user, EIS_WARNING, message);
}

plot_watch eis_plot_watch(told *to) { return (plot_watch){ .stop = stop, .warn = warn, .user = to }; }
