#include "probe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

enum { QUESTION = 2048 };

static char *ask_formatted(const machine_probe *p, const char *format, va_list arguments) {
    char question[QUESTION];
    int  length = vsnprintf(question, sizeof question, format, arguments);
    return length > 0 && length < QUESTION ? p->ask(p->user, question) : NULL;
}

char *probe_ask(const machine_probe *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *answer = ask_formatted(p, format, arguments);
    va_end(arguments);
    return answer;
}

bool probe_line(const machine_probe *p, char *line, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *answer = ask_formatted(p, format, arguments);
    va_end(arguments);
    line[0] = 0;
    if (!answer) return false;
    const char *from = answer + strspn(answer, " \t");
    size_t      length = MIN2(strcspn(from, "\n"), size - 1);
    while (length && isspace((unsigned char)from[length - 1])) length--;
    memcpy(line, from, length);
    line[length] = 0;
    free(answer);
    return length > 0;
}

int64_t probe_number(const machine_probe *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *answer = ask_formatted(p, format, arguments);
    va_end(arguments);
    int64_t value = answer ? strtoll(answer, NULL, 10) : 0;
    free(answer);
    return value;
}

bool probe_has_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length) {
        bool begins = at == text || isspace((unsigned char)at[-1]);
        if (begins && (!at[length] || isspace((unsigned char)at[length]))) return true;
    }
    return false;
}
