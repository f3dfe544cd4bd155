#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "run.h"

static tide_status take_numerics(tide_graph *g, const char *path, const json_t *was, tide_failure *failure) {
    json_int_t version = was ? json_integer_value(was) : 1;
    if (version < 1 || version > tide_numerics(g))
        return fail_at(failure, TIDE_EDATA, path, 0, "numerics",
                       "the run rounds and draws in a way that this program does not know: update tidemill, or "
                       "`overwrite` starts anew");
    tide_numerics_set(g, (int)version);
    return TIDE_OK;
}

tide_status run_choices_take(const char *folder, tide_graph *g, tide_failure *failure) {
    char         path[FOLDER_PATH];
    json_error_t error;
    tide_status  status  = TIDE_OK;
    json_t      *run     = json_load_file(folder_file(folder, "run.json", path), 0, &error);
    json_t      *choices = json_object_get(run, "choices");
    char        *text    = choices ? json_dumps(choices, 0) : NULL;
    if (choices && !text) status = fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    else if (run && (status = tide_choices_set(g, text ? text : "{}", NULL)) != TIDE_OK)
        status = fail_at(failure, status, path, 0, "choices", "the choices in %s are damaged: `overwrite` starts anew",
                         path);
    if (run && status == TIDE_OK) status = take_numerics(g, path, json_object_get(run, "numerics"), failure);
    free(text);
    json_decref(run);
    return status;
}

json_t *run_choices_json(const tide_graph *g) {
    char   *text = tide_choices(g);
    json_t *all  = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return all;
}

tide_status run_choices_fix(tide_graph *g, tide_failure *failure) {
    char       *text   = tide_choices(g);
    tide_status status =
        text ? tide_choices_set(g, text, failure) : fail(failure, TIDE_ENOMEM, "out of memory for the choices");
    free(text);
    return status;
}

bool run_choices_told(const tide_graph *g, char line[RUN_LINE]) {
    tide_tuning t    = tide_graph_tuning(g);
    bool        more = t.timed + t.kept > 0;
    if (more)
        snprintf(line, RUN_LINE, "max-autotune: %d choices timed in %.1f s, %d from the cache%s%s", (int)t.timed,
                 t.seconds, (int)t.kept, *t.note ? "; " : "", t.note);
    return more;
}
