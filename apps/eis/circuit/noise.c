#include "noise.h"

#include "base/base.h"

bool noise_parse(const char *text, char **end, double *out) {
    *out = num_parse(text, end);
    bool number = *end != text;
    while (**end == ' ') ++*end;
    if (**end == '%') *out /= 100, ++*end;
    while (**end == ' ') ++*end;
    return number && *out >= 1e-6 && *out <= 0.5;
}
