/* A published iTransformer's checkpoint: torch.save(model.state_dict(), path) of thuml/iTransformer, or of the
 * Time-Series-Library, which calls the projector `projection`. */
#ifndef FORECAST_PUBLISHED_H
#define FORECAST_PUBLISHED_H

#include <tidemill/io.h>

#include "forecast/models/model.h"

/* Reads it: *out has the names of model.c. Of `sizes` it fills seq_len, pred_len, d_model, d_ff and e_layers, all
 * within the options' limits, and every tensor is one of such a model, of its shape, f32 and finite. TIDE_EDATA with
 * the tensor in failure->column. Results are zeroed on failure. */
tide_status published_read(const char *path, tide_archive *out, model_config *sizes, tide_failure *failure);

#endif
