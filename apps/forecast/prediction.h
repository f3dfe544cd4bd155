/* A forecast in the making: the rows that it starts from, its numbers, and what is written of it. */
#ifndef FORECAST_PREDICTION_H
#define FORECAST_PREDICTION_H

#include "forecast/data/hierarchy.h"
#include "forecast/fit/run_folder.h"
#include "forecast/options/levels.h"
#include "forecast/report/report.h"
#include "forecast/saved/handle.h"
#include "forecast/score/paths.h"

typedef struct prediction {
    forecast_options *options;
    unsigned  compat;
    listener  listener;
    const tide_frame *given; /* rows in memory, in place of options->data; NULL */
    forecast_model *model;
    const bundle   *bundle;  /* the model's */
    dataset   data;      /* its frame holds exactly the seq_len rows that the model looks at */
    char      path[FOLDER_PATH];
    hierarchy sums;      /* of out columns; none unless asked for */
    int64_t   series;    /* what is written: the out columns, then the sums */
    int64_t   rows;      /* pred_len; 1 of sums over the horizon */
    double   *values;    /* (pred_len, out columns), original units; after prediction_sum (rows, series) */
    int64_t  *order;     /* the series as they stand in the file, those of the time stamps (-1, -2, ...) among them */
    int64_t   shown;     /* columns to write */
    int64_t  *time;      /* (seq_len + pred_len); NULL without time stamps */
    float    *known;     /* (pred_len, known), scaled; NULL where nothing is known ahead */
    forecast_use use;         /* never BEST */
    double   *season;         /* (season_rows, columns) before the forecast; NULL unless it is asked for */
    int64_t   season_rows;
    levels    levels;         /* of intervals; none unless asked for */
    double   *bands;          /* (pred_len, out columns, levels, 2), original units; after prediction_sum (rows,
                                 series, levels, 2) */
    float    *scale;          /* (out columns): of the window, where bands or paths are made */
    float    *widths;         /* (pred_len, out columns, widths), original units, of a model's head; NULL */
    path_maker paths;         /* where paths, or bounds of sums, are asked for */
    double   *centre;         /* (pred_len, out columns): what they are made around, the forecast before bounds */
    double   *lower, *upper;  /* (out columns) each, in one block; NULL: none is given */
    int64_t   clamped, clamped_bounds;
} prediction;

#define PATH_COLUMN "path"  /* the first of a file of paths */

tide_status prediction_no_memory(tide_failure *failure);

/* predict.c. Of p->options (resolved) and p->listener, all else zero: opens the run, then forecasts; writes nothing. */
tide_status prediction_open(prediction *p, tide_failure *failure);
tide_status prediction_make(prediction *p, tide_failure *failure);
void        prediction_free(prediction *p);

/* prediction_rows.c: the last rows of options->data or, without it, those that the run keeps, and the season before the
 * forecast where `use` asks for it; not yet scaled. */
tide_status prediction_rows(prediction *p, tide_failure *failure);

/* prediction_known.c: what is known of the rows to come: from options->future, or what the series' own file or the run
 * holds of them. Needs the times. */
tide_status prediction_known(prediction *p, tide_failure *failure);
/* prediction_bands.c. What `level` asks for, refused where the run lacks it; the intervals around the forecast. */
tide_status prediction_read_levels(prediction *p, tide_failure *failure);
tide_status prediction_make_bands(prediction *p, tide_failure *failure);
/* Of the 2 levels + 1 numbers of a series, from the left: what follows its name, and the number of a cell (row * series
 * + which). */
void        prediction_suffix(const prediction *p, int64_t place, char out[40]);
double      prediction_value(const prediction *p, int64_t cell, int64_t place);
tide_status prediction_names_clash(const prediction *p, tide_failure *failure);

/* prediction_bounds.c. A path (pred_len, out columns) is held within the bounds, too. */
tide_status prediction_read_bounds(prediction *p, tide_failure *failure);
void        prediction_clamp(prediction *p);
void        prediction_clamp_path(const prediction *p, double *path);

/* prediction_sums.c. What `sum` asks for; (pred_len, out columns) added up to (rows, series); values and bands of what
 * is written, those of sums from sample paths. */
tide_status prediction_read_sums(prediction *p, tide_failure *failure);
bool        prediction_adds(const prediction *p);  /* is anything added up? */
void        prediction_add_up(const prediction *p, const double *cells, double *out);
tide_status prediction_sum(prediction *p, tide_failure *failure);
const char *prediction_name(const prediction *p, int64_t series);
/* Each number becomes the one that its text will read as, so that what is written adds up. */
void        prediction_round(double *values, int64_t count);

/* prediction_paths.c. Whether the run can give what is asked for; the paths, before the forecast is clamped. */
tide_status prediction_read_paths(const prediction *p, tide_failure *failure);
tide_status prediction_open_paths(prediction *p, tide_failure *failure);
/* A path within bounds: `cells` (pred_len, out columns). */
void        prediction_path(const prediction *p, path_draw draw, double *cells);
/* All of them, (paths, rows, series), as they are written; NULL: out of memory. */
double     *prediction_all_paths(const prediction *p, tide_failure *failure);
/* The file of paths and, where they are no more than 100,000 numbers, `paths` in the JSON object. */
tide_status prediction_write_paths(const prediction *p, tide_failure *failure);
tide_status prediction_paths_json(const prediction *p, json_t *o, tide_failure *failure);

/* prediction_long.c: the forecast as rows of each series below each other, `before` in front of each; p->order is
 * set. */
void prediction_long_header(const prediction *p, text *t);
void prediction_long_rows(const prediction *p, text *t, const char *before);
/* prediction_out.c: the same in whichever form the input has; a text as a cell of CSV; the places of a series, a
 * forecast with its bounds; and one of them. */
void    prediction_header(const prediction *p, text *t);
void    prediction_rows_csv(const prediction *p, text *t, const char *before);
void    prediction_add_cell(text *t, const char *cell, const char *suffix);
int64_t prediction_places(const prediction *p);
void    prediction_add_value(const prediction *p, text *t, int64_t cell, int64_t place);

/* prediction_out.c. Whether options->output may be written, asked before anything is computed. */
tide_status prediction_check_output(const prediction *p, tide_failure *failure);
/* Is `output` a file, beside which others can stand? Its name with this in place of its ending; false: too long. */
bool        prediction_beside(const forecast_options *o);
bool        prediction_name_beside(const forecast_options *o, const char *ending, char path[FOLDER_PATH]);
tide_status prediction_check_file(const prediction *p, const char *path, tide_failure *failure);
/* CSV and JSON into the result, the file `output`, the paths, the plot. TIDE_ECANCELLED stopped the plot alone. */
tide_status prediction_write(prediction *p, forecast_result *r, tide_failure *failure);

#endif
