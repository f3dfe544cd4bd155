/* What a batch says of its spectra: a row each, as it is written into tables and drawn on a page. Where something is
 * not known, numbers are NaN and words "". */
#ifndef EIS_BATCH_ROWS_H
#define EIS_BATCH_ROWS_H

#include <tidemill/eis.h>

/* SI units; beside them per area, where the area is known and has a part in it. */
typedef struct batch_value {
    const char   *name, *unit;       /* "TER", "ohm" */
    double        value, error;      /* standard error; NaN: it has none, or the data do not determine it */
    const char   *area_unit;         /* "ohm cm2", "uF/cm2"; NULL: no area has a part in it */
    double        area_value, area_error;
    eis_fit_state state;             /* of a parameter */
    double        low95, high95;     /* of a screened row, whose value is the median */
} batch_value;

enum { BATCH_TER, BATCH_TEC, BATCH_N1, BATCH_D1, BATCH_QUANTITIES };

typedef struct batch_row {
    int64_t     order;               /* 0-based: files in their order, sweeps in the file's */
    const char *file, *sweep;        /* the path; "": the file's only sweep */
    /* Of the plate: its row that names the spectrum. */
    bool        planned;             /* there is one */
    const char *well, *condition, *donor, *time;
    double      time_number;         /* `time` where it is a number */
    double      area_cm2;

    const eis_spectrum *spectrum;    /* the data; NULL: the file could not be read */
    const char *reason;              /* why there is no fit, a sentence; "": there is one */
    const char *note;                /* what is missing from the plate, and what else is to be had in mind; "" */

    /* eis_check_spectrum. */
    bool               checked;
    eis_check_verdict  data;
    const eis_fault_kind *fault;
    int64_t            faults;
    double             kk_rmse;      /* of both parts of the residuals of Kramers and Kronig, over |Z| */
    double             noise;        /* standard deviation of each part over |Z| */

    /* eis_fit_solve: all zero where there is a reason. Screened, by a predictor, there is no fit: only the circuit,
     * TER, TEC and the parameters. */
    bool               screened;
    const char        *circuit;
    eis_verdict        verdict;
    double             chi2;         /* reduced, against the noise */
    const int64_t     *used;         /* the points that were fitted, 0-based in `spectrum` */
    const eis_z       *model;        /* at those, ohm */
    const eis_z       *residual;     /* (Z - model) / |Z| at those */
    int64_t            points;       /* how many they are */
    batch_value        of[BATCH_QUANTITIES];  /* name NULL: the circuit is no epithelium's */
    const batch_value *parameter;
    int64_t            parameters;
} batch_row;

typedef struct batch_rows {
    const batch_row *row;
    int64_t     count, answered;     /* those without a reason */
    const char *circuit;             /* that was asked for: a name, a string, "auto" */
    bool        plate;               /* there is one: condition, time and so on may be filled */
    bool        screened;            /* all of them */
    eis_weights weights;
    bool        robust;
} batch_rows;

#endif
