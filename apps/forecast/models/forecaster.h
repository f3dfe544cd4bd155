/* Any architecture behind one contract: what training, scoring, answering and the model's file ask of it. */
#ifndef FORECAST_FORECASTER_H
#define FORECAST_FORECASTER_H

#include "instance.h"
#include "model.h"

enum { WEIGHT_NAME = 100 };

typedef struct architecture {
    const char *name;        /* as the option `arch` has it */
    bool        takes_known; /* columns that are known ahead */
    bool        takes_marks; /* time features */
    bool        solved;      /* what it learns of points has a closed form (fit/solve.h): forecaster_solved */
    /* Makes the parameters on the graph. NULL: out of memory, and the graph has failed too. */
    void *(*build)(tide_graph *g, const model_config *c);
    void (*release)(void *self);
    /* As itransformer_rows. */
    head_values (*rows)(const void *self, const model_windows *x, tide_mode mode);
    int64_t (*parameters)(const model_config *c);
    /* The parameter of this number, by its published name, in the shape that it is stored in; false behind the last. */
    bool (*weight)(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape);
    /* Activations of one window, in numbers: by it the batches of scoring are chosen. */
    int64_t (*activations)(const model_config *c);
    int as_baseline;         /* forecast_use: the baseline that it is of points; 0: none */
    /* Rows made from here on are of so many columns, all of them inputs and forecast: parameters are of none. NULL
     * where there are no steps to take on some columns. */
    void (*resize)(void *self, int64_t columns);
    bool takes_statics;      /* attributes of the series */
    /* `rows` in TIDE_EVAL, with its attention: e_layers values (b, maps, tokens, tokens), of each token's query (row)
     * over the keys of all (column). A map is a head, and where series are looked at by themselves a head of one. NULL:
     * it has none. */
    head_values (*attended)(const void *self, const model_windows *x, tide_val *attention);
    int64_t (*tokens)(const model_config *c);
    /* The rows of the look-back that a token stands for, [*first, *stop); NULL: a token is an input. */
    void (*token_rows)(const model_config *c, int64_t token, int64_t *first, int64_t *stop);
} architecture;

/* By model_config.arch, in the order of the option's choices. */
const architecture *architecture_of(int arch);
int                 architecture_named(const char *name);  /* -1: there is none */
extern const architecture arch_itransformer, arch_dlinear, arch_patchtst, arch_linear, arch_seasonal_naive,
    arch_last_value, arch_ensemble;

typedef struct forecaster {
    const architecture *of;
    model_config        config;
    void               *self;
    tide_val            freedom;  /* head_freedom_new's */
} forecaster;

/* false when out of memory (the graph has failed too). Free with forecaster_free; the graph keeps the parameters. */
bool forecaster_new(tide_graph *g, const model_config *config, forecaster *out);
void forecaster_free(forecaster *n);
void forecaster_resize(forecaster *n, int64_t columns);  /* architecture.resize, and of n->config */
head_values forecaster_rows(const forecaster *n, const model_windows *x, tide_mode mode);
/* What forecaster_rows gave by steps first: points (b, pred_len, out columns), and widths (b, pred_len, out columns,
 * widths), graph NULL where there are none. */
tide_val forecaster_points(const head_values *h);
tide_val forecaster_widths(const model_config *c, const head_values *h);

int64_t forecaster_parameters(const model_config *config);
/* architecture.weight, with the parameters of the head. */
bool    forecaster_weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape);
/* Can it have a head of more than points? It must learn by steps; the linear one can. */
bool    forecaster_takes_heads(int arch);
/* Is such a network without steps of training? A closed form is of points alone. */
bool    forecaster_solved(int arch, int head);
/* forecast_use: the baseline that such a model is, which is not scored beside it; 0: none. */
int     forecaster_as_baseline(const model_config *c);

/* The columns that are forecast alone, for models that look at no others: (b, out columns, seq_len), normed where the
 * model does, and their gaps likewise (graph NULL: none). */
typedef struct normed_series {
    tide_val       values, gaps;
    instance_scale scale;
} normed_series;
normed_series series_normed(const model_config *c, const model_windows *x);
/* What was forecast of them, (b, out columns, outputs * pred_len), as the head means it, on their own scale again. */
head_values series_restored(const model_config *c, const normed_series *s, tide_val out);

#endif
