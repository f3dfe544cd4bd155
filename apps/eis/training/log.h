/* metrics.csv of a predictor's training, and what is drawn from it. */
#ifndef EIS_TRAINING_LOG_H
#define EIS_TRAINING_LOG_H

#include <tidemill/eis.h>
#include <tidemill/optim.h>

#include "train/run.h"

typedef struct training_row {
    int64_t epoch, step;
    /* NaN: not known */
    double  lr, train_loss, val_loss, train_acc, val_acc, best_possible_acc, grad_norm, seconds, rss_mib;
    double  loss_scale;       /* > 0: training in f16, whose rows end with it and with skipped_steps (of the whole
                                 run) */
    int64_t skipped_steps;
} training_row;

/* Fills these two where a loss scaler runs (scale.graph not NULL). */
tide_status training_row_scaler(training_row *row, const tide_grad_scaler *s, tide_failure *failure);

tide_status training_log_append(const run_folder *r, const training_row *row, int64_t *bytes, tide_failure *failure);
/* loss.svg and accuracy.svg, with their numbers as CSV. */
tide_status training_log_plot(const run_folder *r, int64_t best_epoch, eis_listener listener, void *user,
                              tide_failure *failure);

#endif
