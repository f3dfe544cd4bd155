/* The elements of equivalent circuits: one table of names, parameters and formulas, and their impedance with its
 * derivatives. */
#ifndef EIS_ELEMENT_H
#define EIS_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "eis/circuit/complex_of.h"

enum { SLOTS_MOST = 4, BLOCK = 8 };  /* parameters of an element; frequencies that are evaluated together */

/* What a parameter is: how it follows from a time and an impedance tells a start for it (start.c of the fit). */
typedef enum slot_role {
    ROLE_RESISTANCE,   /* ohm */
    ROLE_TIME,         /* s */
    ROLE_CAPACITANCE,  /* time / impedance */
    ROLE_INDUCTANCE,   /* time * impedance */
    ROLE_ADMITTANCE,   /* time^n / impedance, n the exponent beside it */
    ROLE_LA,           /* impedance * time^n */
    ROLE_WARBURG,      /* impedance / sqrt(time) */
    ROLE_EXPONENT,
    ROLE_NUMBER        /* a ratio about 1 */
} slot_role;

typedef struct element_slot {
    const char *name, *unit;
    slot_role   role;
} element_slot;

/* Frequencies of a block: the angular ones and their logarithms. */
typedef struct frequencies { double omega[BLOCK], log_omega[BLOCK]; } frequencies;
typedef double complex zblock[BLOCK];

typedef struct element {
    const char  *symbol;     /* in circuits with '-' and p() */
    const char  *cdc;        /* in the circuit description code */
    const char  *aliases;    /* of other programs, "Q|P"; "" */
    const char  *what, *formula;
    int          slots;
    element_slot slot[SLOTS_MOST];
    /* Z at the block's frequencies, and, if d is not NULL, p dZ/dp of each parameter, which is dZ/dln|p|. */
    void (*evaluate)(const double *p, const frequencies *f, zblock z, zblock *d);
} element;

extern const element elements[];
extern const int     element_count;

/* Exponents lie in 0..1, all else in 0..infinity, unless a circuit says otherwise: a negative range is allowed too. */
double slot_high(slot_role role);

/* The element whose symbol, code or alias is the longest that `text` begins with, and that name's length; NULL. */
const element *element_match(const char *text, size_t *length);

#endif
