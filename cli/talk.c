/* What the user reads: lines on stderr, failures, results. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "rank.h"

static struct {
    bool   line_open;   /* a progress line is on the screen */
    double drawn_at_s;
} talk;

bool talk_is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

static bool colours(void) {
    const char *no = getenv("NO_COLOR");
    return talk_is_terminal() && !(no && *no);
}

void progress_end(void) {
    if (talk.line_open) fputs("\r\033[K", stderr);
    talk.line_open = false;
}

/* ---- names of options ---- */

char *with_dashes(const char *text, char *out, size_t size) {
    size_t n = 0;
    while (*text && n + 1 < size) {
        size_t length = *text == '`' ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
        if (length && text[length + 1] == '`' && command_option_known(text + 1, length)) {
            n += (size_t)snprintf(out + n, size - n, "--%.*s", (int)length, text + 1);
            text += length + 2;
        } else out[n++] = *text++;
    }
    out[n < size ? n : size - 1] = 0;
    return out;
}

/* The text with dashes, malloc'ed; NULL when out of memory. */
static char *dashed(const char *text) {
    size_t size = strlen(text) + 1;
    char  *out  = malloc(size);
    return out ? with_dashes(text, out, size) : NULL;
}

/* As vfprintf, with dashes. */
static void put_dashed(FILE *out, const char *format, va_list arguments) {
    char *plain = NULL, *text = NULL;
    if (vasprintf(&plain, format, arguments) >= 0 && (text = dashed(plain))) fputs(text, out);
    free(plain);
    free(text);
}

/* ---- lines ---- */

static void put_data(const char *event, const char *format, va_list arguments) {
    char *message = NULL;
    if (vasprintf(&message, format, arguments) < 0) return;
    progress_event e = progress_event_new(event, NULL, message);
    progress_put(&e);
    free(message);
}

static void put_any_line(const char *colour, const char *format, va_list arguments) {
    if (progress_is_data()) {
        put_data(colour ? "warning" : "note", format, arguments);
        return;
    }
    progress_end();
    if (colour && colours()) fputs(colour, stderr);
    else colour = NULL;
    put_dashed(stderr, format, arguments);
    fputs(colour ? "\033[0m\n" : "\n", stderr);
}

/* Of several ranks one talks. */
static void put_line(const char *colour, const char *format, va_list arguments) {
    if (!rank_silent()) put_any_line(colour, format, arguments);
}

static void put_failure(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_any_line("\033[33m", format, arguments);
    va_end(arguments);
}

void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_line(NULL, format, arguments);
    va_end(arguments);
}

void warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_line("\033[33m", format, arguments);
    va_end(arguments);
}

void progress_line(const char *format, ...) {
    if (rank_silent()) return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double now_s = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    va_list arguments;
    va_start(arguments, format);
    if (progress_is_data()) put_data("progress", format, arguments);
    bool drawn = !progress_is_data() && talk_is_terminal() && now_s - talk.drawn_at_s >= 0.1;
    if (drawn) {
        talk.drawn_at_s = now_s;
        progress_end();
        put_dashed(stderr, format, arguments);
    }
    va_end(arguments);
    if (!drawn) return;
    fflush(stderr);
    talk.line_open = true;
}

int exit_code(tide_status status) {
    switch (status) {
        case TIDE_OK:         return EXIT_DONE;
        case TIDE_EINVAL:     return EXIT_USAGE;
        case TIDE_EDATA:      return EXIT_INPUT;
        case TIDE_EDEVICE:    return EXIT_DEVICE;
        case TIDE_ECANCELLED: return EXIT_INTERRUPTED;
        default:              return EXIT_FAILED;
    }
}

/* A message names its file in most cases; where it does not, the place goes in front. */
static void put_place(char *buffer, size_t size, const tide_failure *f) {
    buffer[0] = 0;
    if (!f->file[0] || strstr(f->message, f->file)) return;
    if (f->row > 0) snprintf(buffer, size, "%s:%lld: ", f->file, (long long)f->row);
    else snprintf(buffer, size, "%s: ", f->file);
}

int report_failure(const tide_failure *failure, bool json) {
    char place[320];
    put_place(place, sizeof place, failure);
    if (!rank_tells_failure()) return exit_code(failure->status);
    if (progress_is_data()) progress_put_failure(failure);
    else if (failure->status == TIDE_ECANCELLED) say("%s%s", place, failure->message);
    else put_failure("tidemill: %s%s", place, failure->message);
    if (json) {
        char *text = tide_failure_json(failure);
        if (text) puts(text);
        free(text);
        fflush(stdout);
    }
    return exit_code(failure->status);
}

static int check_output(bool json) {
    tide_failure failure = { .status = TIDE_EIO, .message = "cannot write to standard output" };
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : report_failure(&failure, json);
}

int output_end(int code) { return code == EXIT_DONE ? check_output(false) : code; }

int print_result(const char *text, bool json) {
    size_t length = strlen(text);
    fputs(text, stdout);
    if (length == 0 || text[length - 1] != '\n') putchar('\n');
    return check_output(json);
}

int print_page(const char *text) {
    char *page = dashed(text);
    int   code = page ? print_result(page, false) : EXIT_FAILED;
    free(page);
    return code;
}
