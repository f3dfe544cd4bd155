/* --man: tidemill(1), and a page a command, such as tidemill-forecast-train(1), from the same tables as --help. */
#include <ctype.h>
#include <string.h>

#include "cli.h"

/* roff takes '-' for a hyphen, '\' for itself and a leading '.' or '\'' for a command. */
static void put_text(FILE *out, const char *s, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bool start = i == 0 || s[i - 1] == '\n';
        if (start && (s[i] == '.' || s[i] == '\'')) fputs("\\&", out);
        if (s[i] == '-') fputs("\\-", out);
        else if (s[i] == '\\') fputs("\\e", out);
        else if (s[i] == '~') fputs("\\(ti", out);
        else if (s[i] == '^') fputs("\\(ha", out);
        else fputc(s[i], out);
    }
}

static void put(FILE *out, const char *s) { put_text(out, s, strlen(s)); }

static void put_line(FILE *out, const char *s) {
    put(out, s);
    fputc('\n', out);
}

/* "tidemill-forecast-train" */
static void page_name(char name[64], const cli_command *command) {
    snprintf(name, 64, "tidemill%s%s", command ? "-" : "", command ? command->name : "");
    for (char *c = name; *c; c++) *c = *c == ' ' ? '-' : *c;
}

static void put_head(FILE *out, const cli_command *command, const char *summary) {
    char name[64], upper[64];
    page_name(name, command);
    for (int i = 0; i == 0 || name[i - 1]; i++) upper[i] = (char)toupper((unsigned char)name[i]);
    fputs(".TH ", out), put(out, upper);
    fputs(" 1 \"\" \"tidemill " TIDE_VERSION "\" \"User Commands\"\n.SH NAME\n", out);
    put(out, name), fputs(" \\- ", out), put_line(out, summary);
}

static void put_option(FILE *out, const tide_option *row) {
    char value[64], text[1024];
    help_value(value, sizeof value, row);
    help_text(text, sizeof text, row);
    fputs(".TP\n\\fB\\-\\-", out), put(out, row->name), fputs("\\fR", out), put_line(out, value);
    put_line(out, text);
}

/* The rows under a heading for each group, in the order of help. */
static void put_options(FILE *out, const cli_command *command) {
    cli_row     rows[CLI_MAX_OPTIONS];
    int         count = command_rows(command, rows);
    const char *group = "";
    fputs(".SH OPTIONS\n", out);
    for (int i = 0; i < count; i++) {
        if (rows[i].row->flags & TIDE_OPTION_HIDDEN) continue;
        if (strcmp(group, rows[i].row->group)) fputs(".SS ", out), put_line(out, group = rows[i].row->group);
        put_option(out, rows[i].row);
    }
}

/* Lines that begin with two blanks are examples, the others are prose. `prose` says which are written. */
static bool put_more(FILE *out, const char *more, bool prose, const char *heading) {
    bool any = false;
    for (size_t length; *more; more += length + (more[length] == '\n')) {
        length = strcspn(more, "\n");
        bool example = strncmp(more, "  ", 2) == 0;
        if (!length || example == prose) continue;
        if (!any) fputs(heading, out);
        any = true;
        put_text(out, more + (example ? 2 : 0), length - (example ? 2 : 0));
        fputc('\n', out);
    }
    return any;
}

/* "NAME: what it is" a line. */
static void put_files(FILE *out, const char *files) {
    fputs(".SH FILES\n", out);
    for (size_t length; *files; files += length + (files[length] == '\n')) {
        size_t name = strcspn(files, ":");
        length = strcspn(files, "\n");
        fputs(".TP\n.I ", out), put_text(out, files, name), fputc('\n', out);
        put_text(out, files + name + 2, length - name - 2), fputc('\n', out);
    }
}

static void put_common(FILE *out) {
    fputs(".SH ENVIRONMENT\nEvery option can be set as \\fBTIDEMILL_\\fIOPTION\\fR, in capitals and with _ for \\-.\n"
          "\\fBNO_COLOR\\fR, \\fBXDG_CACHE_HOME\\fR and \\fBOMP_NUM_THREADS\\fR are honoured.\n"
          "\\fBTIDEMILL_ONEDNN\\fR names the oneDNN library to multiply with, \\fBTIDEMILL_OPENCL\\fR and\n"
          "\\fBTIDEMILL_METAL\\fR those of the devices opencl and metal; \\fBnone\\fR: none.\n"
          "\\fBTIDEMILL_CUDA\\fR=\\fBnone\\fR does without the device cuda, whose libraries are looked for in\n"
          "\\fBTIDEMILL_CUDA_LIBS\\fR (folders) first. "
          "\\fBTIDEMILL_ISA\\fR: \\fBavx512\\fR, \\fBavx2\\fR or \\fBbaseline\\fR.\n"
          ".SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 bad input, 4 device or feature missing,\n"
          "130 interrupted after a checkpoint.\n", out);
}

/* The first word of a command's name, if it is a group. */
static bool related(const cli_command *a, const cli_command *b) {
    size_t length = strcspn(a->name, " ");
    return strcspn(b->name, " ") == length && strncmp(a->name, b->name, length) == 0;
}

/* tidemill(1) and the commands of the same group; NULL: all commands. */
static void put_see_also(FILE *out, const cli_command *command) {
    char name[64];
    fputs(".SH SEE ALSO\n", out);
    if (command) fputs(".BR tidemill (1)", out);
    for (int i = 0, first = !command; cli_commands[i]; i++) {
        if (cli_commands[i] == command || (command && !related(command, cli_commands[i]))) continue;
        page_name(name, cli_commands[i]);
        fputs(first ? ".BR " : ",\n.BR ", out), put(out, name), fputs(" (1)", out);
        first = 0;
    }
    fputc('\n', out);
}

static void put_front(FILE *out) {
    put_head(out, NULL, "trains and serves small scientific models");
    fputs(".SH SYNOPSIS\n.B tidemill\n.I command\n.RI [ options ]\n.SH DESCRIPTION\n"
          "Trains, scores and uses small models on the machine in front of you: forecasts of series, and impedance\n"
          "spectra of epithelia. Results go to standard output, everything else to standard error. With\n"
          "\\fB\\-\\-json\\fR a result, or what went wrong, is one JSON object.\n.SH COMMANDS\n", out);
    for (int i = 0; cli_commands[i]; i++) {
        fputs(".TP\n.B tidemill ", out), put(out, cli_commands[i]->name);
        fputc(' ', out), put_line(out, cli_commands[i]->words);
        put_line(out, cli_commands[i]->summary);
    }
    fputs(".SH OPTIONS\n.TP\n\\fB\\-\\-version\\fR, \\fB\\-V\\fR\nthe version\n"
          ".TP\n\\fB\\-\\-man\\fR [\\fIcommand\\fR]\nthis page, or that of a command\n"
          ".TP\n\\fB\\-\\-completion\\fR bash|zsh|fish\na script that completes command lines in that shell\n", out);
}

void man_print(FILE *out, const cli_command *command) {
    static const char front_files[] = "runs/DATE-NAME: a run that training leaves where no folder is named\n"
                                      "~/.cache/tidemill: series that were fetched, rates of this machine, what "
                                      "max-autotune has timed\n";
    static const char first_run[] = "  tidemill data get etth1\n  tidemill forecast train --preset etth1-96 "
                                    "--data ~/.cache/tidemill/ETTh1.csv --out runs/first\n"
                                    "  tidemill forecast predict runs/first\n";
    if (!command) put_front(out);
    else {
        put_head(out, command, command->summary);
        fputs(".SH SYNOPSIS\n.B tidemill ", out), put_line(out, command->name);
        if (*command->words) fputs(".I ", out), put_line(out, command->words);
        fputs(".RI [ options ]\n", out);
        put_more(out, command->more, true, ".SH DESCRIPTION\n");
        put_options(out, command);
    }
    const char *files = command ? command->files : front_files;
    if (files) put_files(out, files);
    put_common(out);
    if (put_more(out, command ? command->more : first_run, false, ".SH EXAMPLES\n.EX\n")) fputs(".EE\n", out);
    put_see_also(out, command);
}
