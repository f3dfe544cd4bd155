#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "base.h"

char *arena_printf(arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *out = length < 0 ? NULL : arena_alloc(a, (size_t)length + 1);
    if (out) vsnprintf(out, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return out;
}

static bool text_reserve(text *t, size_t more) {
    if (t->failed) return false;
    if (t->length + more + 1 <= t->capacity) return true;
    size_t capacity = MAX2(t->capacity * 2, t->length + more + 64);
    char *data = realloc(t->data, capacity);
    if (!data) return !(t->failed = true);
    t->data = data, t->capacity = capacity;
    return true;
}

/* Written at once where there is room, as there mostly is. */
void text_add(text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = t->failed || t->capacity <= t->length ? 0 : t->capacity - t->length;
    int length = vsnprintf(room ? t->data + t->length : NULL, room, format, args);
    if (length >= 0 && (size_t)length >= room && text_reserve(t, (size_t)length))
        vsnprintf(t->data + t->length, (size_t)length + 1, format, again);
    if (length >= 0 && !t->failed) t->length += (size_t)length;
    else if (room) t->data[t->length] = 0;
    va_end(again);
    va_end(args);
}

void text_put(text *t, const char *bytes, size_t length) {
    if (!text_reserve(t, length)) return;
    memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = 0;
}

void text_free(text *t) {
    free(t->data);
    *t = (text){ 0 };
}

uint64_t text_hash(const char *bytes) {
    uint64_t hash = 0xcbf29ce484222325;
    for (; *bytes; bytes++) hash = (hash ^ (unsigned char)*bytes) * 0x100000001b3;
    return hash;
}

/* The C locale's numbers, whatever the host program set: a locale object made once and never freed. */
static locale_t c_locale(void) {
    static locale_t made;
    locale_t now = __atomic_load_n(&made, __ATOMIC_ACQUIRE);
    if (now) return now;
    locale_t fresh = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!__atomic_compare_exchange_n(&made, &now, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        freelocale(fresh);
        return now;
    }
    return fresh;
}

double num_parse(const char *s, char **end) {
    locale_t before = uselocale(c_locale());
    double value = strtod(s, end);
    uselocale(before);
    return value;
}

int num_format(char *buffer, double value, bool single) {
    locale_t before = uselocale(c_locale());
    int most = single ? 9 : 17, length = 0;
    for (int digits = single ? 6 : 15; digits <= most; digits++) {
        length = snprintf(buffer, 32, "%.*g", digits, value);
        double back = strtod(buffer, NULL);
        if (isnan(value) || (single ? (float)back == (float)value : back == value)) break;
    }
    uselocale(before);
    return length;
}
