/* Texts of bodies: their words for types, memory and sums, and how they are put in. */
#include "fill.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { MOST_ARGUMENTS = 3 };

/* ---- words --------------------------------------------------------------------------------------------- */

void gpu_word(gpu_words *w, const char *name, const char *means) {
    assert(w->count < GPU_WORDS);
    w->name[w->count] = name, w->means[w->count++] = means;
}

void gpu_word_printed(gpu_words *w, const char *name, const char *format, ...) {
    va_list arguments;
    assert(w->count < GPU_WORDS);
    va_start(arguments, format);
    vsnprintf(w->made[w->count], GPU_WORD_ROOM, format, arguments);
    va_end(arguments);
    gpu_word(w, name, NULL);
}

static void word_of_text(gpu_words *w, const char *name, text *means) {
    gpu_word_printed(w, name, "%s", means->data ? means->data : "");
    text_free(means);
}

void gpu_word_load(gpu_words *w, int type) {
    text means = { 0 };
    gpu_load(&means, type, "$1");
    word_of_text(w, "load", &means);
}

void gpu_word_store(gpu_words *w, int type) {
    text means = { 0 };
    gpu_store(&means, type, "$1", "$2");
    word_of_text(w, "store", &means);
}

/* ---- sums ---------------------------------------------------------------------------------------------- */

/* One addition. Unsigned ones wrap; 16-bit floats are what memory keeps of them. */
static const char *const plus[TIDE_DTYPES] = {
    [TIDE_F32]  = "(($1) + ($2))",
    [TIDE_F64]  = "(($1) + ($2))",
    [TIDE_F16]  = "f_from_f16(f_to_f16(($1) + ($2)))",
    [TIDE_BF16] = "f_from_bf16(f_to_bf16(($1) + ($2)))",
    [TIDE_I32]  = "(int)((uint)($1) + (uint)($2))",
    [TIDE_I64]  = "(i64)((u64)($1) + (u64)($2))",
    [TIDE_U8]   = "(int)((uint)($1) + (uint)($2))",
    [TIDE_BOOL] = "(($1) | ($2))",
};

static const char *const of_two[][2] = {
    { "pair", "float $1 = 0.0f, $1_lo = 0.0f" },
    { "add", "$two($1, $2, $1_lo)" },
    { "join", "$two($1, $2[$3], $1_lo + $2_lo[$3])" },
    { "copy", "$1 = $2, $1_lo = $2_lo" },
    { "keep", "$1[$2] = $3, $1_lo[$2] = $3_lo" },
    { "pairs", "LOCAL_ARRAY(float, $1, $2); LOCAL_ARRAY(float, $1_lo, $2)" },
    /* Knuth's two-sum, and what it lost with what was lost before. Other than by TWO_SUM the first is always the sum
     * rounded, as a running sum needs it, and the second stays small however many are added. Where the sum is infinite
     * nothing is lost. */
    { "two", "{ const float a_ = $1, b_ = $2, s_ = a_ + b_, t_ = s_ - a_;\n"
             "const float e_ = ((a_ - (s_ - t_)) + (b_ - t_)) + ($3), d_ = e_ == e_ ? e_ : 0.0f;\n"
             "$1 = s_ + d_; $1_lo = d_ - ($1 - s_); }" },
};
static const char *const of_one[][2] = {
    { "pair", "$T $1 = 0" },
    { "add", "$1 = $plus($1, $2)" },
    { "join", "$1 = $plus($1, $2[$3])" },
    { "copy", "$1 = $2" },
    { "keep", "$1[$2] = $3" },
    { "pairs", "LOCAL_ARRAY($T, $1, $2)" },
};

void gpu_word_sums(gpu_words *w, int type) {
    bool two = type == TIDE_F32 || type == TIDE_F16 || type == TIDE_BF16;
    gpu_word(w, "T", gpu_register_type(type));
    gpu_word(w, "plus", plus[type]);
    for (size_t i = 0; i < (two ? sizeof of_two / sizeof *of_two : sizeof of_one / sizeof *of_one); i++)
        gpu_word(w, (two ? of_two : of_one)[i][0], (two ? of_two : of_one)[i][1]);
}

/* ---- filling in ---------------------------------------------------------------------------------------- */

/* A part of a body, and what $1, $2, ... are in it. */
typedef struct part { const char *at, *end; const text *arguments; } part;

static void fill(text *out, const gpu_words *w, part p);

static bool in_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static const char *meaning(const gpu_words *w, const char *name, size_t length) {
    for (int32_t i = 0; i < w->count; i++)
        if (strlen(w->name[i]) == length && memcmp(w->name[i], name, length) == 0)
            return w->means[i] ? w->means[i] : w->made[i];
    assert(!"a body has a word that nobody gave");
    return "";
}

/* Where the argument at `at` ends: at a comma or the bracket that is not its own. */
static const char *argument_end(const char *at) {
    for (int depth = 0; *at && (depth > 0 || (*at != ',' && *at != ')')); at++)
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
    return at;
}

/* Fills in the arguments after the bracket, and returns what follows the closing one. */
static const char *read_arguments(text arguments[MOST_ARGUMENTS], const gpu_words *w, const part *p, const char *at) {
    for (int i = 0; i < MOST_ARGUMENTS; i++) {
        const char *end = argument_end(at);
        fill(&arguments[i], w, (part){ at, end, p->arguments });
        if (*end != ',') return end + 1;
        for (at = end + 1; *at == ' ';) at++;
    }
    assert(!"a word has too many arguments");
    return at;
}

/* The word after the '$' at p.at, and what follows it. */
static const char *fill_word(text *out, const gpu_words *w, part p) {
    text arguments[MOST_ARGUMENTS] = { { 0 } };
    const char *name = p.at + 1, *after = name;
    while (in_word(*after)) after++;
    const char *means = meaning(w, name, (size_t)(after - name));
    if (*after == '(' && strstr(means, "$1")) after = read_arguments(arguments, w, &p, after + 1);
    fill(out, w, (part){ means, means + strlen(means), arguments });
    for (int i = 0; i < MOST_ARGUMENTS; i++) {
        out->failed |= arguments[i].failed;
        text_free(&arguments[i]);
    }
    return after;
}

static void fill(text *out, const gpu_words *w, part p) {
    while (p.at < p.end) {
        const char *stop = memchr(p.at, '$', (size_t)(p.end - p.at));
        if (!stop) stop = p.end;
        if (stop > p.at) text_add(out, "%.*s", (int)(stop - p.at), p.at);
        p.at = stop;
        if (stop == p.end) return;
        if (in_word(stop[1])) {
            p.at = fill_word(out, w, p);
        } else {
            const text *argument = &p.arguments[stop[1] - '1'];
            if (argument->data) text_add(out, "%s", argument->data);
            p.at = stop + 2;
        }
    }
}

void gpu_word_count(gpu_words *w, const char *name, int64_t count) {
    gpu_word_printed(w, name, "%d", (int)count);
}

void gpu_word_table(gpu_words *w, const char *const words[][2], size_t count) {
    for (size_t i = 0; i < count; i++) gpu_word(w, words[i][0], words[i][1]);
}

void gpu_declare(gpu_print *g, const char *type, const char *name, int64_t number) {
    text_add(&g->body, "const %s %s = (%s)table[%d];\n", type, name, type, gpu_number(g, number));
}

void gpu_fill_in(gpu_print *g, const gpu_words *w, const char *body) {
    fill(&g->body, w, (part){ body, body + strlen(body), NULL });
}
