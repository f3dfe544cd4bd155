#include <stdlib.h>
#include <string.h>

#include "commands.h"

const cli_command *const cli_commands[] = {
    &command_forecast, &command_train, &command_evaluate, &command_predict, &command_explain, &command_eis_complete,
    &command_eis_generate, &command_eis_train, &command_eis_evaluate, &command_eis_full, &command_eis_simulate,
    &command_eis, &command_data_list, &command_data_get, &command_data_make, &command_machine, &command_bench,
    &command_selftest, NULL,
};

int front_options(cli_option *out) {
    static const cli_option front[] = {
        { .name = "config", .metavar = "FILE", .help = "options from a JSON file (a run.json will do)",
          .type = CLI_TEXT, .flags = CLI_FRONT },
        { .name = "json", .help = "the result as one JSON object", .flags = CLI_FRONT },
        { .name = "verbose", .help = "say more (-v)", .flags = CLI_FRONT },
        { .name = "quiet", .help = "no talk but warnings (-q)", .flags = CLI_FRONT },
        { .name = "help", .help = "this text (-h)", .flags = CLI_FRONT },
    };
    memcpy(out, front, sizeof front);
    return (int)(sizeof front / sizeof *front);
}

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

/* The command that the first one or two words name; *used says how many they were. */
static const cli_command *command_of(int argc, char **argv, int *used) {
    char name[128];
    for (*used = 2; *used >= 1; --*used) {
        if (argc <= *used) continue;
        snprintf(name, sizeof name, "%s%s%s", argv[1], *used == 2 ? " " : "", *used == 2 ? argv[2] : "");
        const cli_command *command = command_find(name);
        if (command) return command;
    }
    return NULL;
}

static int unknown_command(int argc, char **argv) {
    char name[128], list[512] = "selftest|help", near[64];
    bool json = false;
    for (int i = 0; cli_commands[i]; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "|%s", cli_commands[i]->name);
    for (int i = 1; i < argc; i++) json = json || strcmp(argv[i], "--json") == 0;
    snprintf(name, sizeof name, "%s%s%s", argv[1], argc > 2 && argv[2][0] != '-' ? " " : "",
             argc > 2 && argv[2][0] != '-' ? argv[2] : "");
    const char *found = nearest_in(name, list, near, sizeof near);
    if (!found) found = nearest_in(argv[1], list, near, sizeof near);
    tide_failure f = { .status = TIDE_EINVAL };
    if (found) snprintf(f.message, sizeof f.message, "there is no command \"%s\"; did you mean \"%s\"?", name, found);
    else snprintf(f.message, sizeof f.message, "there is no command \"%s\"; tidemill help lists them", name);
    return report_failure(&f, json);
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
    const char *found = command_find(call->words[0]) ? call->words[0] : nearest_in(name, list, near, sizeof near);
    if (found) snprintf(hint, sizeof hint, "did you mean \"%s\"?", found);
    snprintf(failure.message, sizeof failure.message, "there is no command \"%s\"; %s", name, hint);
    return report_failure(&failure, call->json);
}

static int run_command(const cli_command *command, int argc, char **argv) {
    cli_call call = { .command = command };
    call.target = calloc(1, command->target_size + 1);
    if (!call.target) return EXIT_FAILED;
    if (command->prepare) command->prepare(call.target);
    int code = cli_parse(&call, argc, argv);
    if (code < 0) code = command->run(&call);
    free(call.target);
    return code;
}

static int print_version(int argc, char **argv) {
    (void)argc, (void)argv;
    return print_result("tidemill " TIDE_VERSION, false);
}

static int print_man(int argc, char **argv) {
    (void)argc, (void)argv;
    man_print(stdout);
    return EXIT_DONE;
}

static int print_completion(int argc, char **argv) {
    tide_failure f = { .status = TIDE_EINVAL, .column = "completion", .message = "only bash is supported" };
    if (argc > 2 && strcmp(argv[2], "bash") != 0) return report_failure(&f, false);
    completion_print(stdout);
    return EXIT_DONE;
}

static int print_help(int argc, char **argv) {
    int used;
    if (argc < 3) return help_front(stdout), EXIT_DONE;
    const cli_command *command = command_of(argc - 1, argv + 1, &used);
    /* "help data": no command by itself; "help forecast explain": one that there is, and a word that names none. */
    if (!command && argc == 3 && command_is_group(argv[2])) return help_group(stdout, argv[2]), EXIT_DONE;
    if (!command || (used == 1 && argc > 3)) return unknown_command(argc - 1, argv + 1);
    help_command(stdout, command);
    return EXIT_DONE;
}

static bool asks_for_help(const char *word) {
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "tidemill data", "data --help", "eis help", "eis help train": as "help data" and so on. -1: none of these. */
static int run_group(int argc, char **argv) {
    bool group = command_is_group(argv[1]), itself = command_find(argv[1]) != NULL; /* "eis" is a command as well */
    if (!group || (itself && (argc < 3 || strcmp(argv[2], "help") != 0))) return -1;
    if (argc == 2) return help_group(stderr, argv[1]), EXIT_USAGE;
    if (!asks_for_help(argv[2])) return -1;
    char *help[] = { argv[0], argv[2], argv[1], argc > 3 ? argv[3] : NULL };
    return print_help(argc > 3 ? 4 : 3, help);
}

static int run_all(int argc, char **argv) {
    static const struct { const char *word; int (*run)(int, char **); } fronts[] = {
        { "--version", print_version }, { "-V", print_version }, { "--help", print_help }, { "-h", print_help },
        { "help", print_help }, { "--man", print_man }, { "--completion", print_completion },
    };
    int used;
    if (argc < 2) {
        help_front(stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++)
        if (strcmp(argv[1], fronts[i].word) == 0) return fronts[i].run(argc, argv);
    int code = run_group(argc, argv);
    if (code >= 0) return code;
    const cli_command *command = command_of(argc, argv, &used);
    return command ? run_command(command, argc - used, argv + used) : unknown_command(argc, argv);
}

int main(int argc, char **argv) { return output_end(run_all(argc, argv)); }
