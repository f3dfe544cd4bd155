/* The report: report.json, and report.html, one page that needs nothing but itself. */
#ifndef EIS_REPORT_H
#define EIS_REPORT_H

#include "draw/chart.h"
#include "eis/evaluate/calibration.h"
#include "eis/training/training.h"

/* All but title, folder and answer may be NULL, and is then left out. Borrowed. */
typedef struct report {
    const char   *folder, *title, *intro;
    const eis_answer *answer;         /* the more candidates, the more complete is the joint map */
    const eis_answer *other;          /* a second answer to compare with: the network's, from the known values alone */
    const char   *answer_name, *other_name;
    const training_report *training;
    const char   *metrics;            /* its metrics.csv */
    const calibration *calibration;
    const char   *calibration_of;     /* what it was measured on, in words */
    const double *truth;              /* [EIS_COUNT] */
    const eis_spectrum *spectrum;
    const char   *spectrum_note;      /* where it is from */
    int64_t       candidates;         /* to list */
} report;

tide_status report_write(const report *r, tide_failure *failure);

/* ---- between its files ---- */

/* Charts as SVG text each; what cannot be drawn from the report adds nothing. (report_charts.c) */
void chart_marginal(const report *r, int parameter, text *out);
void chart_joint(const report *r, text *out);
void chart_nyquist(const report *r, text *out);
void chart_bode_size(const report *r, text *out);
void chart_bode_phase(const report *r, text *out);
void chart_calibration(const report *r, text *out);
void chart_loss(const report *r, text *out);
void chart_accuracy(const report *r, text *out);

/* The page. (report_page.c) */
void report_page(const report *r, text *out);

/* Candidate `rank` (0-based) of an answer, with the known values and a resistance where none was asked for. False:
 * there are fewer. */
bool report_candidate(const eis_answer *answer, int64_t rank, double p[EIS_WITH_RS]);

#endif
