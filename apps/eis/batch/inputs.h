/* What a batch is of: files, and the files in folders. */
#ifndef EIS_BATCH_INPUTS_H
#define EIS_BATCH_INPUTS_H

#include <tidemill/eis.h>

#include "base/base.h"

/* What a batch leaves in `out`; ends with NULL. */
extern const char *const batch_files[];
#define BATCH_TABLE "batch.csv"
#define BATCH_JSON "batch.json"
#define BATCH_GROUPS "groups.csv"
#define BATCH_PAGE "report.html"
#define BATCH_JOURNAL "batch.jsonl"

/* The paths of options->spectra, a line each; in a folder's place its files by name. Of a folder are left out: hidden
 * files, folders (which is told), the plate itself, and what an earlier batch left there. TIDE_EDATA: a folder that
 * cannot be read or has no files. */
tide_status inputs_list(const eis_options *options, eis_listener listener, void *user, text *out,
                        tide_failure *failure);

#endif
