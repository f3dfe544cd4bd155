/* The cells of one spectrum after another on a device: any circuit, frequencies, solution resistance and known values.
 * The program is made anew when another number of points or of cells comes. */
#ifndef EIS_CELLS_DEVICE_H
#define EIS_CELLS_DEVICE_H

#include "cells.h"

typedef struct cells_device cells_device;

/* Opens nothing yet; NULL: out of memory. `device` is borrowed. */
cells_device *cells_device_new(const char *device, int threads, int64_t memory_limit);
void          cells_device_free(cells_device *d);

/* Why programs in double precision run on the processor instead, a sentence; "" where they do not. */
enum { CELLS_NOTE = 200 };
void cells_device_note(const char *device, char note[CELLS_NOTE]);

/* cells_new there; `d` NULL: here. */
tide_status cells_new_on(cells_device *d, const cell_problem *problem, cells *out, tide_failure *failure);

/* ---- cells.c ---- */

/* The grid and its tables, without misfits; tables: two, to be freed by free(re). False: out of memory. */
bool cells_begin(const cell_problem *problem, cells *out, membrane_table tables[2]);
/* Weights, and the best cell of those that have one: after the misfits. */
void cells_finish(const cell_problem *problem, cells *c);

#endif
