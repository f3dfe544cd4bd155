/* What the files that work out cells share. */
#ifndef EIS_CELLS_PARTS_H
#define EIS_CELLS_PARTS_H

#include "cells.h"

/* Axes, blocks and tables; room for the cells follows from the blocks. False: out of memory. */
bool cells_outline(const cell_problem *problem, cells *c, membrane_table tables[2]);
bool cells_room(cells *c);

cell_job cells_job(const cell_problem *problem, const cells *c, const membrane_table tables[2]);
/* Misfits of a block's rows, by the kernel that suits. */
void cells_work_out(const cell_job *job, const struct cell_block *block, float *misfit, float *log_ratio);
/* Of a block's lanes, in any row. */
void cells_weights(const cell_problem *problem, const cells *c, const struct cell_block *block, float *weight);

#endif
