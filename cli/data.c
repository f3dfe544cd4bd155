/* tidemill data: example series. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "data/data.h"

typedef struct target {
    int64_t rows, seed;
    bool    overwrite;
} target;

static int run_list(cli_call *call) {
    int64_t count;
    const data_source *all = data_sources(&count);
    if (call->json) printf("{\"schema_version\": 1, \"series\": [");
    for (int64_t i = 0; i < count; i++) {
        if (call->json)
            printf("%s{\"name\": \"%s\", \"file\": \"%s\", \"sha256\": \"%s\", \"bytes\": %" PRId64 "}", i ? ", " : "",
                   all[i].name,
                   all[i].file, all[i].sha256, all[i].bytes);
        else printf("%-8s %6.1f MB  %s\n", all[i].name, (double)all[i].bytes / 1e6, all[i].about);
    }
    return print_result(call->json ? "]}" : "tide     made here: tidemill data make tide FILE", call->json);
}

static int show(void *user, int64_t bytes, int64_t total) {
    const char *file = user;
    if (total > 0) progress_line("%s: %.1f of %.1f MB", file, (double)bytes / 1e6, (double)total / 1e6);
    else progress_line("%s: %.1f MB", file, (double)bytes / 1e6);
    return stop_asked();
}

static const char *series_names(const char *name, char *buffer, size_t size) {
    int64_t count;
    const data_source *all = data_sources(&count);
    if (strcmp(name, "NAME") != 0) return NULL;
    buffer[0] = 0;
    for (int64_t i = 0; i < count; i++)
        snprintf(buffer + strlen(buffer), size - strlen(buffer), "%s%s", i ? "|" : "", all[i].name);
    return buffer;
}

static int unknown_series(const char *name, bool json) {
    char list[256], near[64];
    series_names("NAME", list, sizeof list);
    const char *found = tide_word_nearest(name, list, near, sizeof near);
    tide_failure f = { .status = TIDE_EINVAL, .column = "NAME" };
    snprintf(f.message, sizeof f.message, "no series is called \"%.60s\"; %s%s%s", name,
             found ? "did you mean " : "there are ",
             found ? found : list, found ? "?" : "");
    return report_failure(&f, json);
}

static int run_get(cli_call *call) {
    tide_failure failure = { 0 };
    char path[DATA_PATH_SIZE];
    const data_source *source = data_find(call->words[0]);
    if (!source) return unknown_series(call->words[0], call->json);
    stop_catch();
    tide_status status = data_get(source, call->quiet ? NULL : show, (void *)source->file, path, &failure);
    progress_end();
    if (status != TIDE_OK) return report_failure(&failure, call->json);
    if (!call->json) return print_result(path, false);
    printf("{\"schema_version\": 1, \"name\": \"%s\", \"path\": \"", source->name);
    for (const char *c = path; *c; c++) {
        if (*c == '"' || *c == '\\') putchar('\\');
        putchar(*c);
    }
    return print_result("\"}", true);
}

static const tide_option make_rows[] = {
    { "rows", TIDE_OPTION_INT(target, rows, 0, 1e15), "17520", 0, "Series", "N", "hours to write" },
    { "seed", TIDE_OPTION_INT(target, seed, 0, 9e15), "2023", 0, "Series", "N", "random seed of the weather" },
    { "overwrite", TIDE_OPTION_BOOL(target, overwrite), NULL, 0, "Series", NULL, "replace the file" },
};
static const tide_option_table make_options = TIDE_OPTION_TABLE(target, make_rows);

static const tide_option_table *make_table(void) { return &make_options; }

static int run_make(cli_call *call) {
    const target *t = call->target;
    tide_failure failure = { .status = TIDE_EINVAL,
                             .column = "KIND",
                             .message = "the only kind that can be made is \"tide\"" };
    if (strcmp(call->words[0], "tide") != 0) return report_failure(&failure, call->json);
    failure = (tide_failure){ 0 };
    if (data_make_tide(call->words[1], t->rows, (uint64_t)t->seed, t->overwrite, &failure) != TIDE_OK)
        return report_failure(&failure, call->json);
    if (!call->quiet)
        say("wrote %" PRId64 " hours of made-up but physical tides and weather to %s", t->rows, call->words[1]);
    return EXIT_DONE;
}

const cli_command command_data_list = {
    .name = "data list", .words = "", .summary = "list the public series that data get knows",
    .more = "  tidemill data list\n", .run = run_list,
};
const cli_command command_data_get = {
    .name = "data get", .words = "NAME", .least_words = 1, .most_words = 1,
    .summary = "fetch a series once, check it, print its path", .more = "  tidemill data get etth1\n",
    .files = "~/.cache/tidemill: what was fetched, by name\n", .suggest = series_names, .run = run_get,
};
const cli_command command_data_make = {
    .name = "data make", .words = "tide FILE", .least_words = 2, .most_words = 2,
    .summary = "write a made-up tidal series, without a network",
    .more = "  tidemill data make tide tide.csv --rows 8760\n",
    .rows = { { make_table, 0, 0 } }, .target_size = sizeof(target), .run = run_make,
};
