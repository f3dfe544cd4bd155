#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "ticks.h"

extern char **environ;

/* Okabe and Ito's colours, told apart by colour-blind readers too; blue and orange first. */
static const char *const palette[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555" };
enum { PALETTE = sizeof palette / sizeof *palette };

static const char style_setup[] =
    "set encoding utf8\n"
    "set border 3 linecolor rgb '#666666'\n"
    "set grid ytics linecolor rgb '#dddddd' linetype 1 linewidth 0.8\n"
    "set tics nomirror out scale 0.6 textcolor rgb '#333333'\n"
    "set key at graph 0, graph 1.025 left bottom horizontal reverse Left samplen 2 width 1 textcolor rgb '#333333'\n"
    "set tmargin 4.6\nset rmargin 5\n"
    "set offsets graph 0, graph 0, graph 0.04, graph 0.04\n";

/* ---- the program ---- */

static const char *program_name(void) {
    const char *name = getenv("TIDEMILL_GNUPLOT");
    return name ? name : "gnuplot";
}

static bool is_program(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

bool gnuplot_found(void) {
    const char *name = program_name(), *path = getenv("PATH");
    if (strchr(name, '/')) return is_program(name);
    if (!*name || !path) return false;
    char candidate[1024];
    for (size_t length; *path; path += length + (path[length] == ':')) {
        length = strcspn(path, ":");
        int written = snprintf(candidate, sizeof candidate, "%.*s/%s", (int)MIN2(length, sizeof candidate), path, name);
        if (written < (int)sizeof candidate && is_program(candidate)) return true;
    }
    return false;
}

/* ---- the script ---- */

/* Length of the UTF-8 sequence at s, 0 if it is not one. */
static int utf8_length(const unsigned char *s) {
    int length = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return length;
}

/* A single-quoted gnuplot string, in which nothing is special but the quote itself. Control characters and broken
 * UTF-8 become blanks and question marks: the first could end the line, the second the SVG. */
static void put_text(FILE *out, const char *s) {
    const unsigned char *at = (const unsigned char *)(s ? s : "");
    fputc('\'', out);
    while (*at) {
        int length = utf8_length(at);
        if (length == 0 || *at < 0x20 || *at == 0x7f) {
            fputc(length == 0 ? '?' : ' ', out);
            at++;
            continue;
        }
        if (*at == '\'') fputc('\'', out);
        fwrite(at, 1, (size_t)length, out);
        at += length;
    }
    fputc('\'', out);
}

static void put_setting(FILE *out, const char *setting, const char *value, const char *look) {
    if (!value || !*value) return;
    fprintf(out, "set %s ", setting);
    put_text(out, value);
    fprintf(out, " textcolor rgb '#333333' %s\n", look);
}

static void put_value(FILE *out, double v) {
    char buffer[32];
    fputc(' ', out);
    fputs(isfinite(v) && num_format(buffer, v, false) > 0 ? buffer : "NaN", out);
}

static void put_data(FILE *out, const plot *p) {
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        fprintf(out, "$d%lld << E\n", (long long)i);
        for (int64_t k = 0; k < s->count; k++) {
            put_value(out, s->x ? s->x[k] : (double)(k + 1));
            put_value(out, s->y[k]);
            if (s->style == PLOT_BAND) put_value(out, s->y_upper[k]);
            fputc('\n', out);
        }
        fputs("E\n", out);
    }
}

/* Of all x; both 0 without a point. */
static void x_range(const plot *p, double *low, double *high) {
    *low = *high = 0;
    bool found = false;
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        if (!s->count) continue;
        double first = s->x ? s->x[0] : 1, last = s->x ? s->x[s->count - 1] : (double)s->count;
        *low  = found ? MIN2(*low, first) : first;
        *high = found ? MAX2(*high, last) : last;
        found = true;
    }
}

/* A label stands right of its line, near the right edge left of it. */
static void put_markers(FILE *out, const plot *p) {
    double low, high;
    x_range(p, &low, &high);
    for (int64_t i = 0; i < p->marker_count; i++) {
        const plot_marker *m = &p->markers[i];
        fputs("set arrow from first", out);
        put_value(out, m->x);
        fputs(", graph 0 to first", out);
        put_value(out, m->x);
        fputs(", graph 1 nohead back dashtype (6,4) linewidth 1 linecolor rgb '#999999'\n", out);
        if (!m->label || !*m->label) continue;
        fputs("set label ", out);
        put_text(out, m->label);
        fputs(" at first", out);
        put_value(out, m->x);
        bool late = m->x > low + 0.8 * (high - low);
        fprintf(out, ", graph 0.97 %s textcolor rgb '#777777'\n", late ? "right offset character -0.6,0" : "offset character 0.6,0");
    }
}

/* Dates are placed by hand: gnuplot's own overlap. Counted things have no halves. */
static void put_x_axis(FILE *out, const plot *p) {
    enum { MOST_WHOLE = 12 };
    double low, high;
    x_range(p, &low, &high);
    if (!(high > low)) low -= 1, high += 1;
    if (p->x_is_time || p->x_is_whole) {
        fputs("set xrange [", out);
        put_value(out, low);
        fputs(":", out);
        put_value(out, high);
        fputs("]\n", out);
    }
    if (p->x_is_time) ticks_put(out, low, high);
    else if (p->x_is_whole && high - low <= MOST_WHOLE) fputs("set xtics 1\n", out);
}

static void put_axes(FILE *out, const plot *p) {
    put_setting(out, "title", p->title, "font ',15' offset 0,1.1");
    put_setting(out, "xlabel", p->x_label, "");
    put_setting(out, "ylabel", p->y_label, "");
    if (p->log_x) fputs("set logscale x\n", out);
    if (p->log_y) fputs("set logscale y\n", out);
    if (p->equal_axes) fputs("set size ratio -1\n", out);
    put_x_axis(out, p);
    put_markers(out, p);
}

static void put_curve(FILE *out, const plot *p, int64_t i) {
    static const char *const look[] = {
        [PLOT_LINE]   = "lines linewidth 1.8",
        [PLOT_POINTS] = "linespoints linewidth 1.8 pointtype 7 pointsize 0.45",
        [PLOT_DASHED] = "lines linewidth 1.4 dashtype (5,3)",
        [PLOT_DOTS]   = "points pointtype 7 pointsize 0.45",
        [PLOT_BAND]   = "filledcurves fillstyle transparent solid 0.18 noborder",
    };
    const plot_series *s = &p->series[i];
    fprintf(out, "%s$d%lld using 1:2%s title ", i ? ", " : "plot ", (long long)i, s->style == PLOT_BAND ? ":3" : "");
    put_text(out, s->name);
    fprintf(out, " with %s linecolor rgb '%s'", look[s->style], palette[(s->colour > 0 ? s->colour - 1 : i) % PALETTE]);
}

static void put_script(FILE *out, const plot *p) {
    fprintf(out, "set terminal svg size %d,%d dynamic noenhanced font 'Helvetica,Arial,sans-serif,13' background '#ffffff'\n",
            p->width > 0 ? p->width : 800, p->height > 0 ? p->height : 450);
    fputs(style_setup, out);
    put_axes(out, p);
    put_data(out, p);
    for (int64_t i = 0; i < p->series_count; i++) put_curve(out, p, i);
    fputs("\n", out);
}

/* ---- the child ---- */

/* Its own process group: Ctrl-C is for the training, which then still draws what it has. */
static tide_status spawn(pid_t *child, int in, int out, int err, tide_failure *failure) {
    char *arguments[] = { (char *)program_name(), "--default-settings", NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    int code = posix_spawnp(child, arguments[0], &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code ? fail(failure, TIDE_EIO, "plot: cannot start %s: %s", arguments[0], strerror(code)) : TIDE_OK;
}

static tide_status check_end(pid_t child, FILE *messages, tide_failure *failure) {
    char line[256] = "";
    int code = 0;
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR) return TIDE_OK;  /* the caller reaps children itself: no exit code to see */
    if (WIFEXITED(code) && WEXITSTATUS(code) == 0) return TIDE_OK;
    rewind(messages);
    while (fgets(line, sizeof line, messages) && line[strspn(line, " \t\r\n^")] == 0) line[0] = 0;
    line[strcspn(line, "\r\n")] = 0;
    return fail(failure, TIDE_EIO, "plot: gnuplot failed: %s", line[0] ? line : "no message");
}

/* The script goes through an unnamed file, not a pipe: gnuplot may end early without a SIGPIPE for us, and neither
 * side can wait for the other. */
tide_status gnuplot_draw(const plot *p, FILE *svg, tide_failure *failure) {
    FILE *script = tmpfile(), *messages = tmpfile();
    pid_t child;
    tide_status status = TIDE_OK;
    if (!script || !messages) {
        status = fail(failure, TIDE_EIO, "plot: no temporary file: %s", strerror(errno));
        goto done;
    }
    put_script(script, p);
    if (fflush(script) != 0 || ferror(script)) {
        status = fail(failure, TIDE_EIO, "plot: cannot write a temporary file: %s", strerror(errno));
        goto done;
    }
    rewind(script);
    status = spawn(&child, fileno(script), fileno(svg), fileno(messages), failure);
    if (status == TIDE_OK) status = check_end(child, messages, failure);
done:
    if (script) fclose(script);
    if (messages) fclose(messages);
    return status;
}
