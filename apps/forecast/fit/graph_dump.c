#include "graph_dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "run_folder.h"

enum { NAME = 128 };

typedef struct dump {
    const char   *folder, *program, *ending;
    int           passes;
    char          line[400];  /* "build 812, simplify 410" */
    tide_status   status;
    tide_failure *failure;
} dump;

static tide_status compile(tide_list wanted, dump *d, void (*call)(void *, const char *, const char *), bool dot) {
    tide_program *p = tide_compile(wanted, &(tide_compile_options){ .dump = call, .dump_user = d, .dump_dot = dot });
    tide_status   status = tide_program_error(p)->status;
    if (status != TIDE_OK && d->failure && !d->failure->status) *d->failure = *tide_program_error(p);
    tide_program_free(p);
    return status == TIDE_OK ? d->status : status;
}

static tide_status put_text(void *user, void *stdio_file) { return fputs(user, stdio_file) < 0 ? TIDE_EIO : TIDE_OK; }

static const char *name_of(dump *d, const char *pass, char name[NAME]) {
    snprintf(name, NAME, "%s-%d-%s.%s", d->program, ++d->passes, pass, d->ending);
    return name;
}

static void check_pass(void *user, const char *pass, const char *text) {
    dump *d = user;
    char  name[NAME];
    (void)text;
    if (d->status == TIDE_OK)
        d->status = owned_check(d->folder, (const char *const[]){ name_of(d, pass, name), NULL }, d->failure);
}

static void write_pass(void *user, const char *pass, const char *text) {
    dump *d = user;
    char  path[FOLDER_PATH], name[NAME];
    name_of(d, pass, name);
    if (d->status == TIDE_OK) d->status = owned_claim_file(d->folder, name, path, d->failure);
    if (d->status == TIDE_OK) d->status = tide_file_replace(path, put_text, (void *)text, d->failure);
}

static tide_status both_kinds(const char *folder, const char *program, tide_list wanted,
                              void (*call)(void *, const char *, const char *),
                              tide_failure *failure) {
    dump text  = { .folder = folder, .program = program, .ending = "txt", .failure = failure }, dot = text;
    dot.ending = "dot";
    tide_status status = compile(wanted, &text, call, false);
    return status == TIDE_OK ? compile(wanted, &dot, call, true) : status;
}

tide_status graph_dump_check(const char *folder, const char *program, tide_list wanted, tide_failure *failure) {
    return both_kinds(folder, program, wanted, check_pass, failure);
}

tide_status graph_dump_write(const char *folder, const char *program, tide_list wanted, tide_failure *failure) {
    tide_status status = make_folders(folder, failure);
    return status == TIDE_OK ? both_kinds(folder, program, wanted, write_pass, failure) : status;
}

static void count_lines(void *user, const char *pass, const char *text) {
    dump   *d     = user;
    int64_t lines = 0;
    size_t  used  = strlen(d->line);
    for (; *text; text++) lines += *text == '\n';
    snprintf(d->line + used, sizeof d->line - used, "%s%s %" PRId64, used ? ", " : "", pass, lines);
}

tide_status graph_dump_tell(const listener *l, const char *program, tide_list wanted, tide_failure *failure) {
    dump        d      = { .failure = failure };
    tide_status status = compile(wanted, &d, count_lines, false);
    if (status == TIDE_OK) listener_note(l, FORECAST_STAGE_VERBOSE, "%s, lines after each pass: %s", program, d.line);
    return status;
}
