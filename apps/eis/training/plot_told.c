#include "plot_told.h"

#include <stdio.h>

static bool stop(void *user, const char *svg_path) {
    const told *to = user;
    char        line[600];
    snprintf(line, sizeof line, "drawing %.500s", svg_path);
    return to->listener && to->listener(to->user, EIS_PROGRESS, line) != 0;
}

static void warn(void *user, const char *message) {
    const told *to = user;
    if (to->listener) to->listener(to->user, EIS_WARNING, message);
}

plot_watch eis_plot_watch(told *to) { return (plot_watch){ .stop = stop, .warn = warn, .user = to }; }
