/* Packed: a head with the length of each part, then the parts. */
#include "completions.h"

#include <stdlib.h>

#include "base/json.h"

enum { ANSWERS, TALK, TABLE, CANDIDATES, WARNINGS, PARTS };
typedef struct packed_head { int64_t failed, length[PARTS]; tide_failure first; } packed_head;

bool completions_new(completions *c) {
    *c = (completions){ .answers = json_array() };
    return c->answers != NULL;
}

bool completions_good(const completions *c) {
    return c->answers && !(c->talk.failed || c->table.failed || c->candidates.failed || c->warnings.failed);
}

void completions_free(completions *c) {
    json_decref(c->answers);
    text_free(&c->talk), text_free(&c->table), text_free(&c->candidates), text_free(&c->warnings);
}

bool completions_pack(const completions *c, text *out) {
    enum { BITS = JSON_COMPACT | JSON_REAL_PRECISION(17) };
    char       *answers = json_whole(c->answers, BITS);
    const text *part[]  = { &c->talk, &c->table, &c->candidates, &c->warnings };
    packed_head head    = { .failed = c->failed, .first = c->first };
    if (!answers || !completions_good(c)) return free(answers), false;
    head.length[ANSWERS] = (int64_t)strlen(answers);
    for (int i = TALK; i < PARTS; i++) head.length[i] = (int64_t)part[i - TALK]->length;
    text_put(out, (const char *)&head, sizeof head);
    text_put(out, answers, strlen(answers));
    for (int i = TALK; i < PARTS; i++)
        if (head.length[i]) text_put(out, part[i - TALK]->data, part[i - TALK]->length);
    free(answers);
    return !out->failed;
}

static bool add_answers(completions *to, const char *data, size_t bytes) {
    json_t *list = json_loadb(data, bytes, 0, NULL);
    bool    fine = json_is_array(list) && json_array_extend(to->answers, list) == 0;
    json_decref(list);
    return fine;
}

bool completions_add(completions *to, const void *data, size_t bytes) {
    text       *part[] = { &to->talk, &to->table, &to->candidates, &to->warnings };
    packed_head head;
    size_t      left = bytes - sizeof head;
    if (bytes < sizeof head) return false;
    memcpy(&head, data, sizeof head);
    head.first.message[sizeof head.first.message - 1] = head.first.file[sizeof head.first.file - 1] = 0;
    head.first.column[sizeof head.first.column - 1] = 0;
    for (int i = 0; i < PARTS; left -= (size_t)head.length[i++])
        if (head.length[i] < 0 || (uint64_t)head.length[i] > left) return false;
    const char *at = (const char *)data + sizeof head;
    if (left || !add_answers(to, at, (size_t)head.length[ANSWERS])) return false;
    at += head.length[ANSWERS];
    for (int i = TALK; i < PARTS; at += head.length[i++]) text_put(part[i - TALK], at, (size_t)head.length[i]);
    if (head.failed && !to->failed) to->first = head.first;
    to->failed += head.failed;
    return true;
}
