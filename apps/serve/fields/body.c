/* The text is copied once; an array of numbers leaves a word in its place, which no request can write itself: it begins
 * with a character that JSON has only as an escape, and that escape is refused. */
#include "body.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "numbers.h"
#include "record.h"

#define MARK "\\u0001"

typedef struct body_kept { struct body_kept *next; max_align_t memory[]; } kept_memory;

void *body_keep(body *b, size_t bytes) {
    kept_memory *k = calloc(1, sizeof *k + bytes);
    if (!k) return NULL;
    k->next = b->kept;
    b->kept = k;
    return k->memory;
}

void body_free(body *b) {
    for (kept_memory *k = b->kept, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    for (int64_t i = 0; i < b->lists; i++) free(b->list[i].at);
    free(b->list);
    if (b->root) json_decref(b->root);
    *b = (body){ 0 };
}

typedef struct walk {
    body       *to;
    const char *at;
    char       *out;
    size_t      length;
    int         depth;
    int64_t     values;  /* about: each begins behind one of ,:[{ */
    bool        failed;
} walk;

static const char *skip_space(const char *s) {
    while (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t') s++;
    return s;
}

static bool add_number(numbers *n, int64_t *capacity, double v) {
    if (n->count == *capacity) {
        int64_t more  = MAX2(4, 2 * *capacity);
        double *grown = realloc(n->at, (size_t)more * sizeof *grown);
        if (!grown) return false;
        n->at     = grown;
        *capacity = more;
    }
    n->at[n->count++] = v;
    return true;
}

static bool scan_one(const char **at, double *v) {
    if (strncmp(*at, "null", 4) != 0) return number_scan(at, v);
    *v = NAN;
    *at += 4;
    return true;
}

/* The array of what `scan` reads that begins behind '['; NULL: it is of something else. Then what was scanned holds no
 * further '[', so all text is looked at three times at most. */
static const char *scan_list(walk *w, const char *s, bool (*scan)(const char **at, double *v), numbers *n,
                             int64_t *capacity) {
    for (;;) {
        double v;
        s = skip_space(s);
        if (!scan(&s, &v)) return NULL;
        if (!add_number(n, capacity, v)) {
            w->failed = true;
            return NULL;
        }
        s = skip_space(s);
        if (*s == ']') return s + 1;
        if (*s++ != ',') return NULL;
    }
}

static bool keep_numbers(body *b, const numbers *n) {
    if (b->lists == b->capacity) {
        int64_t  more  = MAX2(8, 2 * b->capacity);
        numbers *grown = realloc(b->list, (size_t)more * sizeof *grown);
        if (!grown) return false;
        b->list     = grown;
        b->capacity = more;
    }
    b->list[b->lists++] = *n;
    return true;
}

/* Whether what was copied last is the name of a row's times: the one long array of texts that requests have. */
static bool are_times(const walk *w) {
    static const char name[] = "\"time\":";
    size_t end = w->length, size = sizeof name - 1;
    while (end && w->out[end - 1] == ' ') end--;
    return end >= size && memcmp(w->out + end - size, name, size) == 0;
}

static bool scan_time(const char **at, double *v) {
    char        word[40];
    const char *s      = *at + (**at == '"');
    size_t      length = strcspn(s, "\"\\");
    if (s == *at || s[length] != '"' || length >= sizeof word) return false;
    memcpy(word, s, length);
    word[length] = 0;
    *at = s + length + 1;
    return request_time_scan(word, v);
}

/* At '['. True: it was an array of numbers, or of times. The word is no longer than the text that it stands for, but
 * for short ones, for which walk_text has room. */
static bool take_array(walk *w) {
    int64_t     capacity = 0;
    numbers     n        = { 0 };
    const char *end      = scan_list(w, w->at + 1, scan_one, &n, &capacity);
    if (!end && !n.count && !w->failed && are_times(w))
        n.times = true, end = scan_list(w, w->at + 1, scan_time, &n, &capacity);
    if (end && *skip_space(end) == ':') end = NULL; /* the name of a member is a text: Jansson says so */
    if (end && keep_numbers(w->to, &n)) {
        w->length += (size_t)sprintf(w->out + w->length, "\"" MARK "%lld\"", (long long)w->to->lists - 1);
        w->at = end;
        return true;
    }
    w->failed = w->failed || end;
    free(n.at);
    return false;
}

static bool copy_string(walk *w, problem *p) {
    do {
        if (*w->at == '\\') {
            if (strncmp(w->at, MARK, sizeof MARK - 1) == 0)
                return problem_say(p, 422, "usage", "The body has a control character in a text.");
            w->out[w->length++] = *w->at++;
        }
        if (!*w->at) return true;
        w->out[w->length++] = *w->at++;
    } while (*w->at && *w->at != '"');
    if (*w->at) w->out[w->length++] = *w->at++;
    return true;
}

static bool walk_text(walk *w, problem *p) {
    while (*w->at) {
        char c = *w->at;
        if (c == '"') {
            if (!copy_string(w, p)) return false;
            continue;
        }
        if (c == '[' && take_array(w)) continue;
        if (w->failed) return problem_say(p, 503, "memory", "There is no memory for the body at the moment.");
        w->depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        if (w->depth > BODY_DEPTH)
            return problem_say(p, 400, "json", "The body is nested deeper than %d.", BODY_DEPTH);
        w->values += c == ',' || c == ':' || c == '[' || c == '{';
        if (w->values > BODY_VALUES)
            return problem_say(p, 413, "size", "The body has more than %d values besides arrays of numbers.",
                               BODY_VALUES);
        w->out[w->length++] = *w->at++;
    }
    return true;
}

static bool parse_rest(walk *w, body *out, problem *p) {
    json_error_t error;
    w->out[w->length] = 0;
    out->root = json_loadb(w->out, w->length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (out->root) return true;
    if (json_error_code(&error) == json_error_out_of_memory)
        return problem_say(p, 503, "memory", "There is no memory for the body at the moment.");
    if (json_error_code(&error) == json_error_numeric_overflow)
        return problem_say(p, 422, "usage", "Line %d of the body: %s.", error.line, error.text);
    return problem_say(p, 400, "json", "The body is no JSON: line %d: %s.", error.line, error.text);
}

/* An array [1] of three bytes becomes a word of up to 30: room for as many of these as the text can hold. */
static size_t room_for(const char *text, size_t length) {
    size_t arrays = 0;
    for (const char *s = text; (s = memchr(s, '[', length - (size_t)(s - text))); s++) arrays++;
    return length + 32 * arrays + 1;
}

bool body_parse(const char *text, size_t length, body *out, problem *p) {
    *out = (body){ 0 };
    if (strlen(text) != length) return problem_say(p, 400, "json", "The body has a byte of 0 in it.");
    walk w = { .to = out, .at = text, .out = malloc(room_for(text, length)) };
    if (!w.out) return problem_say(p, 503, "memory", "There is no memory for the body at the moment.");
    bool fine = walk_text(&w, p) && parse_rest(&w, out, p);
    free(w.out);
    return fine;
}

bool body_is_numbers(const json_t *value) {
    if (json_is_array(value) && json_array_size(value) == 0) return true;
    return json_is_string(value) && *json_string_value(value) == 1;
}

bool body_times(const body *b, const json_t *value, numbers *out) {
    *out = (numbers){ 0 };
    if (!body_is_numbers(value)) return false;
    if (json_is_array(value)) return true;
    long long i = atoll(json_string_value(value) + 1);
    if (i < 0 || i >= b->lists) return false;
    *out = b->list[i];
    return true;
}

bool body_numbers(const body *b, const json_t *value, numbers *out) {
    bool fine = body_times(b, value, out) && !out->times;
    if (!fine) *out = (numbers){ 0 };
    return fine;
}
