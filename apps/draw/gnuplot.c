/* A plot's script, run by the program, and its SVG taken as the file only when it is whole. */
#include "gnuplot.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "child.h"

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
    gnuplot_script(p, script);
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
