/* Predictors as commands open them. */
#ifndef EIS_MODEL_H
#define EIS_MODEL_H

#include "eis/predictor/arcs_predictor.h"

/* The predictor of the recipe `cell` that options->model names, for options->threads; NULL where it names none. Its
 * starts are for fits of `circuit` (NULL: of any): TIDE_EINVAL where that has other parts. */
tide_status model_of_cells(const eis_options *options, const equivalent *circuit, arcs_predictor **out,
                           tide_failure *failure);

#endif
