/* What a column's name means: which quantity, of which impedance, in which unit, with which sign. */
#ifndef EIS_COLUMNS_H
#define EIS_COLUMNS_H

#include "cells.h"
#include "units.h"

typedef enum role { ROLE_OTHER, ROLE_FREQUENCY, ROLE_RE, ROLE_IM, ROLE_MOD, ROLE_PHASE, ROLE_SIGMA_RE, ROLE_SIGMA_IM,
                    ROLE_SWEEP } role;

enum { OBJECT_SIZE = 24 };
typedef struct column {
    slice  name;                  /* as the file writes it */
    role   role;
    char   object[OBJECT_SIZE];   /* which impedance: "" for Re(Z), "ce" for Re(Zce), "drcor" for ZrealDrCor */
    unit   unit;                  /* UNIT_NONE: the name has none */
    bool   minus;                 /* "-Im(Z)", "neg. Phase" */
    bool   log;                   /* the decimal logarithm */
} column;

column column_of(slice name);
const char *role_name(role r);    /* "frequency", "real part" ... */
unit_kind   role_unit(role r);    /* the kind of unit that it has */

#endif
