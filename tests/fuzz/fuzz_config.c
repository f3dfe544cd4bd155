/* The text of a --config file to options that training would go by. */
#include <stdlib.h>
#include <string.h>
#include <tidemill/forecast.h>

#include "cli.h"
#include "target.h"

bytes fuzz_seed(int i) {
    static const char *const texts[] = {
        "{\"seq-len\": 24, \"pred_len\": 12, \"plots\": false, \"dropout\": 0.5, \"lradj\": \"cosine\", \"columns\": "
        "[\"a\", \"b\", 3]}",
        "{\"format_version\": 1, \"command\": \"forecast train\", \"options\": {\"d-model\": 16, \"n-heads\": 4, "
        "\"preset\": \"etth1-96\", "
        "\"out\": \"x\", \"compat\": null, \"memory-limit\": \"0.5\", \"val\": 0.2}}",
        "{\"options\": {}}",
    };
    bytes b = { 0 };
    if (i < (int)(sizeof texts / sizeof *texts)) bytes_text(&b, texts[i]);
    return b;
}

static const tide_option *find(void *user, const char *name, const char *command, tide_failure *failure) {
    (void)user, (void)command, (void)failure;
    return forecast_option_find(name);
}

static tide_status set(void *user, const tide_option *row, const char *text, tide_failure *failure) {
    return forecast_option_set(user, row->name, text, failure);
}

/* What was taken lies in the ranges of the table. */
static void check_ranges(const forecast_options *o) {
    int64_t            count;
    const tide_option *table = forecast_option_table(&count);
    for (int64_t i = 0; i < count; i++) {
        const char *field = (const char *)o + table[i].offset;
        bool        whole = table[i].type == TIDE_OPTION_IS_INT;
        if (!o->given[i] || (!whole && table[i].type != TIDE_OPTION_IS_REAL)) continue;
        double value = whole ? (double)*(const int64_t *)field : *(const double *)field;
        fuzz_require(value >= table[i].low && value <= table[i].high, table[i].name, &(tide_failure){ 0 });
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static forecast_options o, resolved;
    tide_failure            failure = { 0 };
    const char             *path    = fuzz_path("config.json");
    file_write(path, (bytes){ (unsigned char *)(uintptr_t)data, (int64_t)size });
    forecast_options_default(&o);
    tide_status status = config_read(path, &(tide_option_reader){ find, set, &o }, &failure);
    fuzz_refusal(status, &failure);
    if (status != TIDE_OK)
        fuzz_require(strstr(failure.message, path) != NULL, "a refusal that does not name the file", &failure);
    check_ranges(&o);
    if (status == TIDE_OK) fuzz_refusal(forecast_options_resolve(&o, &resolved, &failure), &failure);
    return 0;
}
