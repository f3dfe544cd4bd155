/* Which columns of a table are the frequency and the impedance. */
#ifndef EIS_LAYOUT_H
#define EIS_LAYOUT_H

#include "columns.h"
#include "reading.h"

/* A place in a row and what its number is multiplied with. */
typedef struct place { int at; double factor; bool log; } place;  /* at -1: there is none */

typedef struct layout {
    bool  polar;               /* magnitude and phase (radians) stand for re and im */
    place f, re, im;
    place sigma_re, sigma_im;
    place phase;               /* beside re and im: it tells the sign where the name does not */
    int   sweep;               /* a column whose change begins a new sweep; -1 */
    bool  minus;               /* the name of the imaginary part, or of the phase, says that it is the negative */
    bool  unit_known[3];       /* of f, re, im: by name or by `units` */
    bool  phase_bare;          /* polar, and nothing says in which unit the phase is: degrees */
    int   least;               /* cells that a row needs */
} layout;

typedef struct header { column column[CELLS_MOST]; int count; int64_t line; } header;
void header_of(const row_cells *cells, int64_t line, header *out);
/* "freq/Hz, Re(Z)/Ohm, ..." for messages: as much as fits. */
void header_list(const header *h, char *out, size_t size);

typedef enum found { FOUND_NONE, FOUND_PART, FOUND_ALL, FOUND_FAULT } found;
/* PART: a frequency without an impedance or the other way round. FAULT: the failure is filled. */
found layout_find(reading *r, const header *h, layout *out);

/* The layout of `column` when it is three numbers; FOUND_NONE: it is not. `h` may have no columns. */
found layout_numbers(reading *r, const header *h, layout *out);

/* Factors from a line of units below the header (Gamry, RelaxIS): true if it is one. */
bool layout_units(const row_cells *cells, layout *l);

/* The unit that `units` has for this kind. TIDE_EINVAL: one of its words is none. */
tide_status units_wanted(reading *r, unit_kind kind, unit *out, bool *given);

#endif
