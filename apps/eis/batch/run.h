/* Files that were read to rows: what the journal has is taken from there, the others are answered by all cores. */
#ifndef EIS_BATCH_RUN_H
#define EIS_BATCH_RUN_H

#include "blanks.h"
#include "eis/predictor/arcs_predictor.h"
#include "files/journal.h"
#include "files/pieces.h"
#include "rows.h"

typedef struct batch_run {
    const eis_options     *options;
    const eis_fit_options *fit;
    const equivalent      *circuit;   /* NULL: by `auto` */
    blanks                 blanks;    /* none while screening */
    arcs_predictor        *model;     /* NULL: none; options->screen: it alone answers */
    eis_listener           listener;
    void                  *user;
    measured               measured;
    plate                  plate;     /* path NULL: there is none */
    journal                journal;
    json_t                *head;      /* of it */
    bool                   joined;    /* several processes share it, in options->out */
    pieces                *pieces;    /* what they take from, once rows are laid */
    arena                  memory;    /* of the rows; when it ends it jumps to */
    jmp_buf                no_memory;
    batch_rows             rows;
} batch_run;

/* run->rows, of a run whose files are read and whose journal is open. A row depends on its spectrum and the options
 * alone. */
tide_status run_rows(batch_run *run, tide_failure *failure);

#endif
