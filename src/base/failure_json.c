/* A failure as JSON, for whoever asked in JSON. */
#include "base.h"
#include "json.h"

enum { SCHEMA_VERSION = 1 };

/* The command's exit codes by name. */
static const char *failure_code(tide_status status) {
    switch (status) {
    case TIDE_EINVAL: return "usage";
    case TIDE_EDATA: return "bad_input";
    case TIDE_EDEVICE: return "device";
    case TIDE_ECANCELLED: return "interrupted";
    default: return "failed";
    }
}

char *tide_failure_json(const tide_failure *f) {
    static const tide_failure none = { 0 };
    if (!f) f = &none;
    bool    option = f->status == TIDE_EINVAL && *f->column;
    json_t *o = json_pack("{s:i, s:{s:s, s:o, s:o, s:I, s:o, s:o}}", "schema_version", SCHEMA_VERSION, "error", "code",
                          failure_code(f->status), "message", json_text(f->message), "file", json_text(f->file), "row",
                          (json_int_t)f->row, "column", json_text(f->column), "option",
                          option ? json_text(f->column) : json_null());
    char *text = json_whole(o, JSON_INDENT(2));
    json_decref(o);
    return text;
}
