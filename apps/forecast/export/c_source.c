/* A model as C source: NAME.h and NAME.c, the network's code after its sizes and parameters (network_body.h,
 * interval_body.h, calendar_body.h, in which NAME stands for the file's name). Numbers are written as whole multiples
 * of a power of two, "0x1.8p1" as 0x3p0: exact, and without the decimal point, which depends on the host's locale. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "bounds.h"
#include "forecast/data/marks.h"
#include "forecast/models/head.h"
#include "forecast/models/instance.h"

#include "calendar_body_text.h"
#include "interval_body_text.h"
#include "network_body_text.h"

/* More make a source of over a gigabyte. */
enum { MOST_PARAMETERS = 64 << 20, NAME_ROOM = 128, PER_LINE = 8 };

typedef struct source {
    const exported *of;
    export_bounds   bounds;
    FILE           *out;
    char            name[NAME_ROOM], upper[NAME_ROOM];
    bool            short_of_memory;
} source;

/* ---- names ---- */

static const char *stem_of(const char *path, size_t *length) {
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;
    *length = strlen(stem) - 2; /* ".c" */
    return stem;
}

/* The file's name is that of the functions in it. */
static tide_status take_names(source *s, const char *path, tide_failure *failure) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", digits[] = "0123456789_";
    char        allowed[sizeof letters + sizeof digits];
    size_t      length;
    const char *stem = stem_of(path, &length);
    snprintf(allowed, sizeof allowed, "%s%s", letters, digits);
    if (length >= sizeof s->name || !length || !strchr(letters, *stem) || strspn(stem, allowed) != length)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "output",
                       "%.100s cannot be the name of functions in C, which `output` gives: letters, digits and _ after "
                       "a letter, such as model.c",
                       stem);
    for (size_t i = 0; i < length; i++) s->name[i] = stem[i], s->upper[i] = (char)toupper((unsigned char)stem[i]);
    return TIDE_OK;
}

char *export_c_header(const char *path) {
    char *header = strdup(path);
    if (header) header[strlen(header) - 1] = 'h';
    return header;
}

/* Text in which NAME_ begins the model's names, and UPPER_ those in capitals. */
static void put_named(const source *s, const char *text) {
    for (const char *at = text; *at;) {
        bool lower = !strncmp(at, "NAME_", 5), upper = !strncmp(at, "UPPER_", 6);
        if (lower || upper) fputs(lower ? s->name : s->upper, s->out);
        else fputc(*at, s->out);
        at += lower ? 4 : upper ? 5 : 1;
    }
}

/* As a C string: what is not plain ASCII in octal, and no trigraphs. */
static void put_string(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 32 || c > 126 || strchr("\"\\?", c)) fprintf(out, "\\%03o", c);
        else fputc(c, out);
    }
    fputc('"', out);
}

static void put_strings(const source *s, const char *what, char *const *names, int64_t count) {
    fprintf(s->out, "const char *const %s_%s[%" PRId64 "] = {\n", s->name, what, count);
    for (int64_t i = 0; i < count; i++) fputs("    ", s->out), put_string(s->out, names[i]), fputs(",\n", s->out);
    fputs("};\n", s->out);
}

/* ---- numbers ---- */

static void put_number(FILE *out, double value, bool single) {
    int     exponent, bits = single ? 24 : 53;
    int64_t whole = (int64_t)ldexp(frexp(fabs(value), &exponent), bits);
    exponent -= bits;
    while (whole && whole % 2 == 0) whole /= 2, exponent++;
    if (!whole) exponent = 0;
    fprintf(out, "%s0x%" PRIx64 "p%d%s", signbit(value) ? "-" : "", (uint64_t)whole, exponent, single ? "f" : "");
}

static void put_numbers(FILE *out, const void *values, int64_t count, bool single) {
    for (int64_t i = 0; i < count; i++) {
        fputs(i % PER_LINE ? " " : "    ", out);
        put_number(out, single ? (double)((const float *)values)[i] : ((const double *)values)[i], single);
        fputs(i % PER_LINE == PER_LINE - 1 || i + 1 == count ? ",\n" : ",", out);
    }
    fputs("};\n", out);
}

static void put_doubles(const source *s, const char *name, const double *values, int64_t count) {
    fprintf(s->out, "static const double %s[%" PRId64 "] = {\n", name, count);
    put_numbers(s->out, values, count, false);
}

/* ---- parameters ---- */

static void put_label(const source *s, int64_t block, const network_part *part, const char *end) {
    fprintf(s->out, "%s_%s", part->label, end);
    if (block >= 0) fprintf(s->out, "_%" PRId64, block);
}

/* Weights lie as (in, out): outputs side by side, as the code adds them up. */
static void put_parameter(source *s, int64_t block, const network_part *part, const char *end) {
    const tide_tensor *t = network_tensor(s->of, block, part, end);
    int64_t            count = tide_shape_count(t->shape);
    const float       *values = t->data;
    float             *turned = t->shape.ndim > 1 ? network_transposed(t) : NULL;
    if (t->shape.ndim > 1 && !turned) {
        s->short_of_memory = true;
        return;
    }
    fputs("static const float ", s->out);
    put_label(s, block, part, end);
    fprintf(s->out, "[%" PRId64 "] = {\n", count);
    put_numbers(s->out, turned ? turned : values, count, true);
    free(turned);
}

static void put_part(source *s, int64_t block, const network_part *part) {
    put_parameter(s, block, part, "weight");
    put_parameter(s, block, part, "bias");
}

static void put_parameters(source *s) {
    int64_t blocks = s->of->bundle.config.e_layers;
    for (int i = 0; i < NETWORK_OUTER; i++) put_part(s, -1, &network_outer[i]);
    for (int64_t i = 0; i < blocks * NETWORK_OF_BLOCK; i++)
        put_part(s, i / NETWORK_OF_BLOCK, &network_of_block[i % NETWORK_OF_BLOCK]);
    fputs("\nstatic const struct block {\n", s->out);
    for (int i = 0; i < NETWORK_OF_BLOCK; i++)
        fprintf(s->out, "    const float *%s_weight, *%s_bias;\n", network_of_block[i].label,
                network_of_block[i].label);
    fputs("} blocks[E_LAYERS] = {\n", s->out);
    for (int64_t block = 0; block < blocks; block++) {
        fputs("    {", s->out);
        for (int i = 0; i < NETWORK_OF_BLOCK; i++) {
            fputs(i ? ",\n      " : " ", s->out), put_label(s, block, &network_of_block[i], "weight");
            fputs(", ", s->out), put_label(s, block, &network_of_block[i], "bias");
        }
        fputs(" },\n", s->out);
    }
    fputs("};\n\n", s->out);
}

/* What attributes add to the tokens of the columns, worked out here. */
static void put_attributes(source *s) {
    const model_config *c = &s->of->bundle.config;
    float *values = c->statics ? network_attributes(s->of) : NULL;
    if (c->statics && !values) s->short_of_memory = true;
    if (!values) return;
    fprintf(s->out, "static const float attributes[%" PRId64 "] = {\n", c->columns * c->d_model);
    put_numbers(s->out, values, c->columns * c->d_model, true);
    free(values);
}

/* ---- intervals ---- */

_Static_assert(BANDS_FOLLOW_PERCENT == 75, "interval_body.h has the scale's power written out");

static void put_constant(const source *s, const char *name, double value) {
    fprintf(s->out, "#define %s ", name);
    put_number(s->out, value, false);
    fputc('\n', s->out);
}

static void put_bounds(const source *s) {
    const bundle *b = &s->of->bundle;
    if (!s->bounds.levels) return;
    fprintf(s->out, "#define LEVELS %" PRId64 "\n#define WIDTHS %d\n#define TERMS %" PRId64 "\n", s->bounds.levels,
            b->bands.shape.widths, s->bounds.terms);
    put_constant(s, "LEAST_WIDTH", HEAD_LEAST_WIDTH);
    put_constant(s, "LEAST_SHARE", BANDS_FLOOR * BANDS_FLOOR);
    if (!b->bands.shape.widths) put_doubles(s, "spread_unit", b->bands.unit, b->config.out_count);
    put_doubles(s, "bound_times", s->bounds.times,
                s->bounds.levels * 2 * s->bounds.terms * b->config.pred_len * b->config.out_count);
    put_named(s, interval_body_text);
}

/* ---- the two files ---- */

static void put_head(const source *s, const char *what) {
    const model_config *c = &s->of->bundle.config;
    fprintf(s->out,
            "/* %s: forecasts the next %" PRId64 " rows of %" PRId64 " columns from the last %" PRId64
            " rows of %" PRId64 ".\n"
            " * An iTransformer (Liu et al., ICLR 2024) that Tidemill " TIDE_VERSION " trained and wrote as C99.\n"
            " * Model: sha256 %s */\n",
            what, c->pred_len, c->out_count, c->seq_len, c->columns, s->of->sha256);
}

static const char header_text[] =
    "\n#include <stdint.h>\n\n"
    "#ifdef __cplusplus\n"
    "extern \"C\" {\n"
    "#endif\n\n"
    "extern const char *const NAME_columns[UPPER_COLUMNS], *const NAME_targets[UPPER_TARGETS];\n"
    "extern const char NAME_version[];  /* of the Tidemill that wrote this */\n"
    "extern const char NAME_sha256[];   /* of the model */\n\n"
    "enum {\n"
    "    UPPER_DONE,\n"
    "    UPPER_BAD_PAST,   /* it holds what is not a finite number */\n"
    "    UPPER_BAD_TIME,   /* a time lies outside the years 0 to 9999 */\n"
    "    UPPER_BAD_FUTURE  /* the forecast is not finite: the rows hold an extreme value */\n"
    "};\n\n"
    "/* Rows in original units, one after the other: of `past` with columns in the order of NAME_columns, of `future`\n"
    " * with targets in that of NAME_targets. Returns one of the above; `future` counts only with UPPER_DONE. Nothing\n"
    " * is allocated: the working memory is static, so one thread at a time may call it. The same input gives the\n"
    " * same bits with every compiler that keeps to IEEE 754 (not with -ffast-math), at every level of optimisation.\n"
    " * Link with -lm";

static void put_signature(const source *s, bool intervals, const char *end) {
    bool marks = s->of->bundle.config.marks > 0;
    put_named(s, intervals ? "int NAME_intervals(" : "int NAME_forecast(");
    put_named(s, "const double past[UPPER_SEQ_LEN * UPPER_COLUMNS],");
    if (marks) put_named(s, " const int64_t time_s[UPPER_SEQ_LEN],");
    put_named(s, "\n    double future[UPPER_PRED_LEN * UPPER_TARGETS]");
    if (intervals) put_named(s, ",\n    double bounds[UPPER_PRED_LEN * UPPER_TARGETS * UPPER_LEVELS * 2]");
    fputs(end, s->out);
}

static const char intervals_text[] =
    "extern const double NAME_levels[UPPER_LEVELS];  /* percent, ascending */\n"
    "/* The same, and prediction intervals: beside each number of `future` the lower and the upper bound of each\n"
    " * level, calibrated on the windows of validation, as Tidemill's own forecasts have them. */\n";

static void put_header(const source *s) {
    static const char time_text[] = ".\n *   time_s  seconds since 1970-01-01 00:00 of each row, as its wall clock "
                                    "showed it, without time zone";
    const model_config *c = &s->of->bundle.config;
    const struct { const char *key; int64_t value; } sizes[] = { { "SEQ_LEN", c->seq_len }, { "PRED_LEN", c->pred_len },
                                                                 { "COLUMNS", c->columns },
                                                                 { "TARGETS", c->out_count } };
    put_head(s, s->name);
    put_named(s, "#ifndef UPPER_FORECAST_H\n#define UPPER_FORECAST_H\n\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        fprintf(s->out, "#define %s_%s %" PRId64 "\n", s->upper, sizes[i].key, sizes[i].value);
    if (s->bounds.levels) fprintf(s->out, "#define %s_LEVELS %" PRId64 "\n", s->upper, s->bounds.levels);
    put_named(s, header_text);
    fprintf(s->out, "%s. */\n", c->marks ? time_text : "");
    put_signature(s, false, ");\n\n");
    if (s->bounds.levels) {
        put_named(s, intervals_text);
        put_signature(s, true, ");\n\n");
    }
    fputs("#ifdef __cplusplus\n}\n#endif\n\n#endif\n", s->out);
}

static const char guards[] =
    "#include <float.h>\n#include <math.h>\n#include <string.h>\n\n"
    "/* a * b + c is two roundings here, whatever the machine could do at once: that keeps the bits the same. */\n"
    "#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0\n"
    "#error \"compile this file without -ffast-math, for arithmetic in float and double as they are\"\n"
    "#endif\n"
    "#if defined(__clang__) || !defined(__GNUC__)\n#pragma STDC FP_CONTRACT OFF\n"
    "#elif !defined(__STRICT_ANSI__)\n#pragma GCC optimize(\"fp-contract=off\")\n#endif\n\n";

static void put_sizes(const source *s) {
    const model_config *c = &s->of->bundle.config;
    const struct { const char *key; int64_t value; } sizes[] = {
        { "SEQ_LEN", c->seq_len },  { "PRED_LEN", c->pred_len },   { "COLUMNS", c->columns },
        { "MARKS", c->marks },      { "TOKENS", c->columns + c->marks }, { "D_MODEL", c->d_model },
        { "D_FF", c->d_ff },        { "E_LAYERS", c->e_layers },   { "HEAD_SIZE", c->head_size },
        { "INNER", c->n_heads * c->head_size }, { "FIRST_TARGET", c->out_first }, { "TARGETS", c->out_count },
        { "RELU", c->relu },        { "USE_NORM", c->use_norm },   { "OUTPUTS", head_outputs(c) },
        { "ATTRIBUTES", c->statics > 0 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        fprintf(s->out, "#define %s %" PRId64 "\n", sizes[i].key, sizes[i].value);
    fprintf(s->out, "#define NORM_EPS %g\n\n", NORM_EPS);
}

static const char *const feature_words[] = {
    [SECOND_OF_MINUTE] = "SECOND_OF_MINUTE", [MINUTE_OF_HOUR] = "MINUTE_OF_HOUR", [HOUR_OF_DAY] = "HOUR_OF_DAY",
    [DAY_OF_WEEK] = "DAY_OF_WEEK",           [DAY_OF_MONTH] = "DAY_OF_MONTH",     [DAY_OF_YEAR] = "DAY_OF_YEAR",
    [MONTH_OF_YEAR] = "MONTH_OF_YEAR",       [WEEK_OF_YEAR] = "WEEK_OF_YEAR",
};

static void put_calendar(const source *s) {
    const mark_feature *features = marks_of(s->of->bundle.mark_step);
    const char         *body     = strchr(calendar_body_text, '}') + 2; /* behind the enum, which the marks follow */
    fprintf(s->out, "%.*s\n\nstatic const int marks[MARKS] = {", (int)(body - calendar_body_text), calendar_body_text);
    for (int64_t i = 0; i < s->of->bundle.config.marks; i++)
        fprintf(s->out, "%s%s", i ? ", " : " ", feature_words[features[i]]);
    fprintf(s->out, " };\n%s\n", body);
}

static void put_functions(const source *s) {
    bool marks = s->of->bundle.config.marks > 0;
    fputc('\n', s->out);
    put_signature(s, false, ") {\n");
    put_named(s, "    if (!take_past(past)) return UPPER_BAD_PAST;\n");
    if (marks) put_named(s, "    if (!take_times(time_s)) return UPPER_BAD_TIME;\n");
    fputs("    return forecast(future);\n}\n", s->out);
    if (!s->bounds.levels) return;
    fputc('\n', s->out);
    put_named(s, "const double NAME_levels[UPPER_LEVELS] = {\n");
    put_numbers(s->out, s->of->levels.of, s->bounds.levels, false);
    fputc('\n', s->out);
    put_signature(s, true, ") {\n");
    put_named(s, marks ? "    const int code = NAME_forecast(past, time_s, future);\n"
                       : "    const int code = NAME_forecast(past, future);\n");
    put_named(s, "    return code == UPPER_DONE ? give_bounds(past, future, bounds) : code;\n}\n");
}

static void put_code(source *s) {
    const bundle *b = &s->of->bundle;
    put_head(s, s->name);
    fprintf(s->out, "#include \"%s.h\"\n\n", s->name);
    fputs(guards, s->out);
    put_strings(s, "columns", b->names, b->config.columns);
    put_strings(s, "targets", b->names + b->config.out_first, b->config.out_count);
    fprintf(s->out, "const char %s_version[] = \"" TIDE_VERSION "\";\nconst char %s_sha256[] = \"%s\";\n\n", s->name,
            s->name, s->of->sha256);
    put_sizes(s);
    put_doubles(s, "column_mean", b->scaler.mean, b->config.columns);
    put_doubles(s, "column_std", b->scaler.std, b->config.columns);
    put_attributes(s);
    put_parameters(s);
    put_named(s, network_body_text);
    if (b->config.marks) fputs("\n", s->out), put_calendar(s);
    put_bounds(s);
    put_functions(s);
}

/* What was not written is told by the stream, once, at the end. */
static tide_status written(const source *s) {
    if (s->short_of_memory) return TIDE_ENOMEM;
    return ferror(s->out) ? TIDE_EIO : TIDE_OK;
}

static tide_status write_header(void *user, void *stdio_file) {
    source *s = user;
    s->out = stdio_file;
    put_header(s);
    return written(s);
}

static tide_status write_code(void *user, void *stdio_file) {
    source *s = user;
    s->out = stdio_file;
    put_code(s);
    return written(s);
}

tide_status export_c(const exported *e, const char *path, tide_failure *failure) {
    source s          = { .of = e };
    int64_t parameters = forecaster_parameters(&e->bundle.config);
    if (parameters > MOST_PARAMETERS)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "format",
                       "%" PRId64 " parameters make a C source that no compiler takes (%d are the most): `format` onnx "
                       "has no such limit",
                       parameters, (int)MOST_PARAMETERS);
    tide_status status = take_names(&s, path, failure);
    if (status == TIDE_OK) status = export_bounds_of(e, &s.bounds, failure);
    if (status != TIDE_OK) return export_bounds_free(&s.bounds), status;
    char *header = export_c_header(path);
    status       = header ? tide_file_replace(header, write_header, &s, failure) : TIDE_ENOMEM;
    if (status == TIDE_OK) status = tide_file_replace(path, write_code, &s, failure);
    free(header);
    export_bounds_free(&s.bounds);
    return status == TIDE_ENOMEM ? fail(failure, status, "out of memory for the model's source") : status;
}
