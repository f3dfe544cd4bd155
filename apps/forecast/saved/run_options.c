#include "run_options.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "forecast/fit/run_folder.h"

static const char *value_text(const json_t *v, char buffer[40]) {
    if (json_is_string(v)) return json_string_value(v);
    if (json_is_boolean(v)) return json_is_true(v) ? "true" : "false";
    if (json_is_integer(v))
        snprintf(buffer, 40, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else
        num_format(buffer, json_number_value(v), false);
    return buffer;
}

tide_status run_option_take(const json_t *run, const char *name, forecast_options *o, tide_failure *failure) {
    const tide_option *row   = forecast_option_find(name);
    const json_t      *value = json_object_get(json_object_get(run, "options"), name);
    char               buffer[40];
    if (!row || !value || forecast_option_given(o, name)) return TIDE_OK;
    return forecast_option_set(o, row->name, value_text(value, buffer), failure);
}

tide_status run_options_take(const json_t *run, forecast_options *o, tide_failure *failure) {
    const char *name;
    json_t     *value;
    tide_status status = TIDE_OK;
    json_object_foreach(json_object_get(run, "options"), name, value) {
        bool limit = strncmp(name, "memory-limit", 12) == 0; /* of the machine that trained */
        if (!limit && status == TIDE_OK) status = run_option_take(run, name, o, failure);
    }
    o->auto_size = false;
    return status;
}

tide_status run_options_read(const char *run, json_t **out, tide_failure *failure) {
    char path[FOLDER_PATH];
    json_error_t error;
    *out = json_load_file(folder_file(run, "run.json", path), 0, &error);
    if (*out && json_is_object(json_object_get(*out, "options"))) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, path, error.line > 0 ? error.line : 0, "model",
                   "%s holds no run.json with options: give the folder that train made", run);
}
