/* What is known beside a spectrum, as text: "Rs=20+-1,Ra/Rb=4.8+-1", a parameter or the ratio of two with its standard
 * deviation. */
#ifndef EIS_PRIOR_H
#define EIS_PRIOR_H

#include <tidemill/core.h>

enum { PRIORS_MOST = 16 };

/* Normal: of parameter `above`, or of its ratio to `below` (-1: there is none). */
typedef struct prior {
    int    above, below;
    double value, deviation;
} prior;

typedef struct priors { prior of[PRIORS_MOST]; int count; } priors;

/* The names that may stand in it. */
typedef struct prior_names {
    const void *of;
    int (*find)(const void *of, const char *name, size_t length);  /* -1: none; PRIOR_AMBIGUOUS: of several */
    /* "4.8k" in the unit of a parameter. */
    bool (*read)(const void *of, int parameter, const char *text, double *out);
    const char *list;                                              /* of them, for messages */
} prior_names;
enum { PRIOR_AMBIGUOUS = -2 };

/* TIDE_EINVAL with the column and what was expected there. "" is none. */
tide_status priors_parse(const char *text, const prior_names *names, priors *out, tide_failure *failure);

#endif
