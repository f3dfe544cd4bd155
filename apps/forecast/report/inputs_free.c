#include "inputs_free.h"

#include <stdlib.h>

#include "forecast/saved/attended.h"

static void explained_free(forecast_explained *x) {
    free(x->name);
    free(x->of);
    free(x->by_row);
}

void inputs_free(forecast_inputs *x) {
    if (!x) return;
    for (int64_t i = 0; i < x->count; i++) free(x->input[i].name);
    for (int64_t i = 0; i < x->explained_count; i++) explained_free(&x->explained[i]);
    for (int64_t i = 0; i < x->attention_count; i++) attended_free(&x->attention[i]);
    for (int64_t i = 0; i < x->drift_count; i++) free(x->drift[i].column);
    free(x->input);
    free(x->explained);
    free(x->attention);
    free(x->drift);
    free(x->mse);
    free(x->mse_flat);
    free(x);
}
