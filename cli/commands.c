/* The table of commands, and what follows from it: groups, options, near names. */
#include "commands.h"

#include <string.h>

const cli_command *const cli_commands[] = {
    &command_forecast, &command_train, &command_tune, &command_update, &command_evaluate, &command_backtest,
    &command_predict, &command_forecast_explain,
    &command_export, &command_import, &command_explain, &command_eis_complete, &command_eis_check, &command_eis_drt,
    &command_eis_convert, &command_eis_fit, &command_eis_batch, &command_eis_generate, &command_eis_train,
    &command_eis_evaluate, &command_eis_full, &command_eis_simulate, &command_eis, &command_data_list,
    &command_data_get, &command_data_make, &command_machine, &command_bench, &command_serve, &command_selftest,
    NULL,
};

const cli_command *command_find(const char *name) {
    for (int i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0) return cli_commands[i];
    return NULL;
}

bool command_in_group(const cli_command *command, const char *name, const char **word) {
    size_t length = strlen(name);
    bool   in     = strncmp(command->name, name, length) == 0 && command->name[length] == ' ';
    if (in) *word = command->name + length + 1;
    return in;
}

bool command_is_group(const char *name) {
    const char *word;
    for (int i = 0; cli_commands[i]; i++)
        if (command_in_group(cli_commands[i], name, &word)) return true;
    return false;
}

int command_unknown_word(const cli_call *call) {
    char         list[1024] = "", name[64], near[64], hint[96] = "tidemill help lists them";
    tide_failure failure = { .status = TIDE_EINVAL };
    const char  *group   = call->command->name;
    const char  *word;
    for (int i = 0; cli_commands[i]; i++)
        if (command_in_group(cli_commands[i], group, &word))
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? "|" : "", cli_commands[i]->name);
    snprintf(name, sizeof name, "%.20s %.40s", group, call->words[0]);
    const char *found = tide_word_nearest(name, list, near, sizeof near);
    if (command_find(call->words[0])) found = call->words[0];
    if (found) snprintf(hint, sizeof hint, "did you mean \"%s\"?", found);
    snprintf(failure.message, sizeof failure.message, "there is no command \"%s\"; %s", name, hint);
    return report_failure(&failure, call->json);
}

/* ---- options ---- */

static const tide_option front[] = {
    { "config", TIDE_OPTION_TEXT(cli_call, config), NULL, 0, "Options", "FILE",
      "read options from a JSON file, such as a run.json" },
    { "json", TIDE_OPTION_BOOL(cli_call, json), NULL, 0, "Options", NULL, "print the result as one JSON object" },
    { "verbose", TIDE_OPTION_BOOL(cli_call, verbose), NULL, 0, "Options", NULL, "print more (-v)" },
    { "quiet", TIDE_OPTION_BOOL(cli_call, quiet), NULL, 0, "Options", NULL, "print only warnings and errors (-q)" },
    { "progress", TIDE_OPTION_CHOICE(cli_call, progress, "text|json"), NULL, 0, "Options", NULL,
      "what stderr has: lines for people, or one JSON object a line, for programs" },
    { "help", TIDE_OPTION_BOOL(cli_call, help), NULL, 0, "Options", NULL, "print this text (-h)" },
};
static const tide_option_table front_table = TIDE_OPTION_TABLE(cli_call, front);

int command_rows(const cli_command *command, cli_row *out) {
    int count = 0;
    for (size_t k = 0; k < sizeof command->rows / sizeof *command->rows; k++) {
        const cli_rows          *part = &command->rows[k];
        const tide_option_table *t    = part->table ? part->table() : NULL;
        for (int64_t i = 0; t && i < t->count; i++)
            if (!part->flags || (t->rows[i].flags & part->flags))
                out[count++] = (cli_row){ &t->rows[i], t, part->offset, false };
    }
    for (int64_t i = 0; i < front_table.count; i++) out[count++] = (cli_row){ &front[i], &front_table, 0, true };
    return count;
}

bool command_option_known(const char *name, size_t length) {
    cli_row rows[CLI_MAX_OPTIONS];
    for (int i = 0; cli_commands[i]; i++)
        for (int k = command_rows(cli_commands[i], rows) - 1; k >= 0; k--)
            if (strlen(rows[k].row->name) == length && strncmp(rows[k].row->name, name, length) == 0) return true;
    return false;
}

const char *device_words(const tide_option *row, char *buffer, size_t size) {
    size_t n = 0;
    *buffer = 0;
    for (const char *const *d = tide_devices(); *d && n < size; d++)
        n += (size_t)snprintf(buffer + n, size - n, "%s%s", n ? "|" : "", *d);
    if (row->suggested && n < size) snprintf(buffer + n, size - n, "|%s", row->suggested);
    return buffer;
}

const char *command_values(const cli_command *command, const tide_option *row, char *buffer, size_t size) {
    const char *own = command->suggest ? command->suggest(row->name, buffer, size) : NULL;
    if (own) return own;
    if (row->metavar && strcmp(row->metavar, "DEVICE") == 0) return device_words(row, buffer, size);
    return row->choices ? row->choices : row->suggested;
}
