/* A distribution of relaxation times as a struct, text, JSON, rows of a table and plots. */
#ifndef EIS_DRT_RELAXATIONS_H
#define EIS_DRT_RELAXATIONS_H

#include <jansson.h>
#include <tidemill/eis.h>

#include "base/base.h"
#include "eis/plots/spectrum_plots.h"

json_t *relaxations_json(const eis_relaxations *r); /* NULL: out of memory */
void relaxations_text(const eis_relaxations *r, text *out);
void relaxations_table_header(text *out);
void relaxations_rows(const eis_relaxations *r, text *out); /* one a peak; one without numbers where there is none */
void relaxations_row_failed(const char *path, const char *reason, text *out);
/* The distribution and the residuals, as PREFIXdrt_....svg. */
tide_status relaxations_plots(const eis_relaxations *r, const plot_place *to, tide_failure *failure);

#endif
