#include <stdio.h>

#include "base.h"

static const char *const status_names[] = {
    [TIDE_OK] = "ok",         [TIDE_ENOMEM] = "out of memory", [TIDE_ESHAPE] = "shape",      [TIDE_ETYPE] = "type",
    [TIDE_EINVAL] = "invalid argument", [TIDE_EDATA] = "bad data", [TIDE_EIO] = "input or output",
    [TIDE_EDEVICE] = "device",
    [TIDE_ECANCELLED] = "cancelled",
};

const char *tide_status_name(tide_status status) {
    bool known = (size_t)status < sizeof status_names / sizeof *status_names;
    return known ? status_names[status] : "unknown status";
}

static void fail_fill(tide_failure *f, tide_status status, const char *format, va_list args) {
    f->status = status;
    vsnprintf(f->message, sizeof f->message, format, args);
    /* Names in it may come from a file: a message stays one line whatever they hold. */
    for (char *c = f->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
}

tide_status fail(tide_failure *f, tide_status status, const char *format, ...) {
    if (!f || f->status) return status;
    va_list args;
    va_start(args, format);
    fail_fill(f, status, format, args);
    va_end(args);
    return status;
}

tide_status fail_at(tide_failure *f, tide_status status, const char *file, int64_t row, const char *column,
                    const char *format, ...) {
    if (!f || f->status) return status;
    va_list args;
    va_start(args, format);
    fail_fill(f, status, format, args);
    va_end(args);
    f->row = row;
    snprintf(f->file, sizeof f->file, "%s", file ? file : "");
    snprintf(f->column, sizeof f->column, "%s", column ? column : "");
    return status;
}
