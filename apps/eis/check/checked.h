/* What was found in a spectrum: as a struct, text, JSON, a row of a table and plots. */
#ifndef EIS_CHECKED_H
#define EIS_CHECKED_H

#include <jansson.h>
#include <tidemill/eis.h>

#include "base/base.h"
#include "eis/plots/spectrum_plots.h"

const char *check_verdict_name(eis_check_verdict verdict);  /* "sound", "flawed", "unfit" */

json_t *checked_json(const eis_checked *c);  /* NULL: out of memory */
void    checked_text(const eis_checked *c, text *out);
void    checked_table_header(text *out);
void    checked_row(const eis_checked *c, text *out);
void    checked_row_failed(const char *path, const char *reason, text *out);
/* Residuals with the noise band, and S against M, as PREFIXcheck_....svg. */
tide_status checked_plots(const eis_checked *c, const plot_place *to, tide_failure *failure);

#endif
