/* A forecast in the making: the rows that it starts from, its numbers, and what is written of it. */
#ifndef FORECAST_PREDICTION_H
#define FORECAST_PREDICTION_H

#include "forecast/fit/run_folder.h"
#include "forecast/options/levels.h"
#include "forecast/report/report.h"
#include "forecast/saved/handle.h"

typedef struct prediction {
    forecast_options *options;
    unsigned  compat;
    listener  listener;
    forecast_model *model;
    const bundle   *bundle;  /* the model's */
    dataset   data;      /* its frame holds exactly the seq_len rows that the model looks at */
    char      path[FOLDER_PATH];
    double   *values;    /* (pred_len, out columns), original units */
    int64_t  *order;     /* the out columns as they stand in the file, those of the time stamps (-1, -2, ...) among
                            them */
    int64_t   shown;     /* columns to write */
    int64_t  *time;      /* (seq_len + pred_len); NULL without time stamps */
    float    *known;     /* (pred_len, known), scaled; NULL where nothing is known ahead */
    forecast_use use;         /* never BEST */
    double   *season;         /* (season_rows, columns) before the forecast; NULL unless it is asked for */
    int64_t   season_rows;
    levels    levels;         /* of intervals; none unless asked for */
    double   *bands;          /* (pred_len, out columns, levels, 2), original units */
    double   *lower, *upper;  /* (out columns) each, in one block; NULL: none is given */
    int64_t   clamped, clamped_bounds;
} prediction;

tide_status prediction_no_memory(tide_failure *failure);

/* prediction_rows.c: the last rows of options->data or, without it, those that the run keeps, and the season before the
 * forecast where `use` asks for it; not yet scaled. */
tide_status prediction_rows(prediction *p, tide_failure *failure);

/* prediction_known.c: what is known of the rows to come: from options->future, or what the series' own file or the run
 * holds of them. Needs the times. */
tide_status prediction_known(prediction *p, tide_failure *failure);
/* prediction_bands.c. What `level` asks for, refused where the run lacks it; the intervals around the forecast. */
tide_status prediction_read_levels(prediction *p, tide_failure *failure);
tide_status prediction_make_bands(prediction *p, tide_failure *failure);
/* Of the 2 levels + 1 numbers of a column, from the left: what follows its name, and the number of a cell (step * out
 * columns + column). */
void        prediction_suffix(const prediction *p, int64_t place, char out[40]);
double      prediction_value(const prediction *p, int64_t cell, int64_t place);
tide_status prediction_names_clash(const prediction *p, tide_failure *failure);

/* prediction_bounds.c. */
tide_status prediction_read_bounds(prediction *p, tide_failure *failure);
void        prediction_clamp(prediction *p);

/* prediction_long.c: the forecast as rows of each series below each other; p->order is set. */
void prediction_long_csv(const prediction *p, text *t);
/* prediction_out.c: a text as a cell of CSV; the places of a column, a forecast with its bounds; and one of them. */
void    prediction_add_cell(text *t, const char *cell, const char *suffix);
int64_t prediction_places(const prediction *p);
void    prediction_add_value(const prediction *p, text *t, int64_t cell, int64_t place);

/* prediction_out.c. Whether options->output may be written, asked before anything is computed. */
tide_status prediction_check_output(const prediction *p, tide_failure *failure);
/* CSV and JSON into the result, the file `output`, the plot. TIDE_ECANCELLED stopped the plot alone. */
tide_status prediction_write(prediction *p, forecast_result *r, tide_failure *failure);

#endif
