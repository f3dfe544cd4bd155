/* A forecast from within a table that was brought: {"upload": ID, "cut": N}. */
#ifndef SERVE_ROUTES_FORECAST_CUT_H
#define SERVE_ROUTES_FORECAST_CUT_H

#include "forecast.h"

/* Where the rows come from: filled by cut_key. */
typedef struct cut_file {
    char  path[sizeof ((forecast_options *)0)->data], name[STORE_NAME];
    char *key;
} cut_file;

/* What is asked, and which table that is. False: the problem says why. Then, too, free(file->key). */
bool   cut_key(serve *s, const body *b, const forecast_in *in, cut_file *file, problem *p);
/* The table, read if it is not kept; NULL with the problem. */
table *cut_read(serve *s, const body *b, const forecast_in *in, const cut_file *file, problem *p);
/* The rows before the cut become the past, and those after it the future of the columns that the model knows ahead.
 * They are the table's, which has to stay as long. Options that said how it is read are done with. */
bool   cut_rows(const serve *s, body *b, const table *t, forecast_in *in, problem *p);

#endif
