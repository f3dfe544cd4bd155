/* A plot as a gnuplot script, run by the program, and its SVG taken as the file only when it is whole. */
#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "child.h"
#include "ticks.h"

/* Okabe and Ito's colours, told apart by colour-blind readers too; blue and orange first. */
static const char *const palette[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555" };
enum { PALETTE = sizeof palette / sizeof *palette };

static const char style_setup[] =
    "set encoding utf8\n"
    "set border 3 linecolor rgb '#666666'\n"
    "set grid ytics linecolor rgb '#dddddd' linetype 1 linewidth 0.8\n"
    "set tics nomirror out scale 0.6 textcolor rgb '#333333'\n"
    "set key at graph 0, graph 1.025 left bottom horizontal reverse Left samplen 2 width 1 textcolor rgb '#333333'\n"
    "set format x '%.6g'\nset format y '%.6g'\n"
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

/* The character at s and its length in bytes; length 0 if it is no UTF-8. */
static int read_character(const unsigned char *s, uint32_t *code) {
    static const struct { uint32_t mask, mark, least; } forms[] = { { 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 },
                                                                    { 0xf0, 0xe0, 0x800 },
                                                                     { 0xf8, 0xf0, 0x10000 } };
    for (int length = 1; length <= 4; length++) {
        if ((s[0] & forms[length - 1].mask) != forms[length - 1].mark) continue;
        *code = s[0] & ~forms[length - 1].mask;
        for (int i = 1; i < length; i++) {
            if ((s[i] & 0xc0) != 0x80) return 0;
            *code = *code << 6 | (s[i] & 0x3f);
        }
        return *code >= forms[length - 1].least && *code <= 0x10ffff ? length : 0;
    }
    return 0;
}

/* XML 1.0 section 2.2 without control characters, and without those that Unicode keeps from being exchanged. */
static bool is_text(uint32_t code) {
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0), surrogate = code >= 0xd800 && code < 0xe000;
    return !control && !surrogate && !(code >= 0xfdd0 && code <= 0xfdef) && (code & 0xfffe) != 0xfffe;
}

/* A single-quoted gnuplot string, in which nothing is special but the quote itself. Control characters become blanks,
 * for they could end the line; what is no text becomes question marks, for it would spoil the SVG. */
static void put_text(FILE *out, const char *s) {
    fputc('\'', out);
    for (const unsigned char *at = (const unsigned char *)(s ? s : ""); *at;) {
        uint32_t code   = 0;
        int      length = read_character(at, &code);
        if (length == 0 || !is_text(code)) fputc(length > 0 && code < 0xa0 ? ' ' : '?', out);
        else fwrite(at, 1, (size_t)length, out);
        if (*at == '\'') fputc('\'', out);
        at += MAX2(length, 1);
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

typedef struct extent { double low, high; } extent;  /* low > high: empty */

static void include(extent *e, double v, bool positive) {
    if (!isfinite(v) || (positive && !(v > 0))) return;
    e->low  = fmin(e->low, v);
    e->high = fmax(e->high, v);
}

static extent x_extent(const plot *p, bool positive) {
    extent e = { INFINITY, -INFINITY };
    for (int64_t i = 0; i < p->series_count; i++)
        for (int64_t k = 0; k < p->series[i].count; k++)
            include(&e, p->series[i].x ? p->series[i].x[k] : (double)(k + 1), positive);
    return e;
}

static extent y_extent(const plot *p, bool positive) {
    extent e = { INFINITY, -INFINITY };
    for (int64_t i = 0; i < p->series_count; i++)
        for (int64_t k = 0; k < p->series[i].count; k++) {
            include(&e, p->series[i].y[k], positive);
            if (p->series[i].style == PLOT_BAND) include(&e, p->series[i].y_upper[k], positive);
        }
    return e;
}

static void put_range(FILE *out, char axis, extent e) {
    fprintf(out, "set %crange [", axis);
    put_value(out, e.low);
    fputs(":", out);
    put_value(out, e.high);
    fputs("]\n", out);
}

/* A label stands right of its line, near the right edge left of it. */
static void put_markers(FILE *out, const plot *p) {
    extent x = x_extent(p, false);
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
        bool late = m->x > x.low + 0.8 * (x.high - x.low);
        fprintf(out, ", graph 0.97 %s textcolor rgb '#777777'\n",
                late ? "right offset character -0.6,0" : "offset character 0.6,0");
    }
}

/* As wide as the values, not as whole decades, and labelled at 1, 2 and 5 where there are few decades; below one it is
 * a linear axis, for its ticks say more. */
static void put_log_axis(FILE *out, char axis, extent e) {
    if (!(e.low <= e.high) || e.high < 10 * e.low) return;
    double decades = log10(e.high / e.low), margin = pow(10, 0.02 * decades);
    fprintf(out, "set logscale %c\n", axis);
    put_range(out, axis, (extent){ e.low / margin, fmin(e.high * margin, 1e308) });
    if (decades > 2.5) return;
    fprintf(out, "set %ctics (", axis);
    for (int decade = (int)floor(log10(e.low)), last = (int)ceil(log10(e.high)); decade <= last; decade++)
        fprintf(out, "1e%d, 2e%d, 5e%d%s", decade, decade, decade, decade < last ? ", " : ")\n");
}

/* Dates are placed by hand: gnuplot's own overlap. Counted things have no halves. */
static void put_x_axis(FILE *out, const plot *p) {
    enum { MOST_WHOLE = 12 };
    extent x = x_extent(p, p->log_x);
    if (p->log_x) put_log_axis(out, 'x', x);
    if (!(p->x_is_time || p->x_is_whole) || !(x.low <= x.high)) return;
    if (!(x.high > x.low)) x.low -= 1, x.high += 1;
    put_range(out, 'x', x);
    if (p->x_is_time) {
        bool two = ticks_lines(x.low, x.high) > 1;
        /* gnuplot counts one line */
        fprintf(out, "set rmargin 8\nset bmargin %d\n", 2 + two + (p->x_label && *p->x_label ? 2 : 0));
        ticks_put(out, x.low, x.high);
    } else if (x.high - x.low <= MOST_WHOLE) fputs("set xtics 1\n", out);
}

/* Values far from 0 need no help: gnuplot's own margin is smaller than their distance. */
static void put_y_axis(FILE *out, const plot *p) {
    extent y = y_extent(p, p->log_y);
    if (p->log_y) put_log_axis(out, 'y', y);
    else if (p->y_not_negative && y.low >= 0 && y.high > 4 * y.low)
        put_range(out, 'y', (extent){ 0, fmin(1.05 * y.high, 1e308) });
}

static void put_axes(FILE *out, const plot *p) {
    put_setting(out, "title", p->title, "font ',15' offset 0,1.1");
    put_setting(out, "xlabel", p->x_label, "");
    put_setting(out, "ylabel", p->y_label, "");
    if (p->equal_axes) fputs("set size ratio -1\n", out);
    put_x_axis(out, p);
    put_y_axis(out, p);
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
    fprintf(out, "set terminal svg size %d,%d dynamic noenhanced font 'Helvetica,Arial,sans-serif,13' background "
                 "'#ffffff'\n",
            p->width > 0 ? p->width : 800, p->height > 0 ? p->height : 450);
    fputs(style_setup, out);
    put_axes(out, p);
    put_data(out, p);
    for (int64_t i = 0; i < p->series_count; i++) put_curve(out, p, i);
    fputs("\n", out);
}

/* ---- the child ---- */

/* The first line of what gnuplot said, without its pointers into the script. */
static void first_message(FILE *messages, char line[256]) {
    rewind(messages);
    line[0] = 0;
    while (fgets(line, 256, messages) && line[strspn(line, " \t\r\n^")] == 0) line[0] = 0;
    line[strcspn(line, "\r\n")] = 0;
}

/* From the temporary file into the user's: what a full disk or a dying gnuplot cut short is not taken for a picture. */
static tide_status copy_svg(FILE *from, FILE *to, tide_failure *failure) {
    static const char end[] = "</svg>";
    char   buffer[8192], tail[16] = "";
    rewind(from);
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, from)) > 0;) {
        if (fwrite(buffer, 1, got, to) != got) return TIDE_EIO; /* told by the writer of the file */
        size_t kept = MIN2(got, sizeof tail - 1), old = MIN2(strlen(tail), sizeof tail - 1 - kept);
        memmove(tail, tail + strlen(tail) - old, old);
        memcpy(tail + old, buffer + got - kept, kept);
        tail[old + kept] = 0;
    }
    return strstr(tail, end) ? TIDE_OK : fail(failure, TIDE_EIO, "plot: %s drew only a part", program_name());
}

static tide_status tell_end(child_end end, FILE *messages, const char *svg_path, plot_watch *watch, double limit_s,
                            tide_failure *failure) {
    const char *slash = strrchr(svg_path, '/'), *name = slash ? slash + 1 : svg_path;
    char        line[256] = "";
    if (end == CHILD_STOPPED)
        return fail(failure, TIDE_ECANCELLED,
                    "stopped while %s was being drawn: it is left out, and what comes after it", name);
    if (watch) watch->gave_up = true;
    if (end == CHILD_NONE) return fail(failure, TIDE_EIO, "plot: cannot start %s: %s", program_name(), strerror(errno));
    if (end == CHILD_HUNG)
        return fail(failure, TIDE_EIO, "plot: %s was ended after %g s without having drawn %s", program_name(), limit_s,
                    name);
    first_message(messages, line);
    return fail(failure, TIDE_EIO, "plot: gnuplot failed: %s", line[0] ? line : "no message");
}

/* Script and picture go through unnamed files, not pipes: gnuplot may end early without a SIGPIPE for us, and neither
 * side can wait for the other. */
tide_status gnuplot_draw(const plot *p, FILE *svg, const char *svg_path, plot_watch *watch, tide_failure *failure) {
    enum { LIMIT_S = 60 };
    FILE       *script = tmpfile(), *messages = tmpfile(), *picture = tmpfile();
    char       *arguments[] = { (char *)program_name(), "--default-settings", NULL };
    double      limit_s = watch && watch->limit_s > 0 ? watch->limit_s : LIMIT_S;
    tide_status status = TIDE_OK;
    if (!script || !messages || !picture) {
        status = fail(failure, TIDE_EIO, "plot: no temporary file: %s", strerror(errno));
        goto done;
    }
    put_script(script, p);
    if (fflush(script) != 0 || ferror(script)) {
        status = fail(failure, TIDE_EIO, "plot: cannot write a temporary file: %s", strerror(errno));
        goto done;
    }
    rewind(script);
    child_end end = child_run(arguments, fileno(script), fileno(picture), fileno(messages), watch, svg_path, limit_s);
    status = end == CHILD_DONE ? copy_svg(picture, svg, failure)
                               : tell_end(end, messages, svg_path, watch, limit_s, failure);
done:
    if (script) fclose(script);
    if (messages) fclose(messages);
    if (picture) fclose(picture);
    return status;
}
