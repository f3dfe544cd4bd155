/* A trained spectrum predictor at work. */
#ifndef EIS_PREDICTOR_H
#define EIS_PREDICTOR_H

#include "model.h"

typedef struct predictor predictor;

typedef struct predictor_settings {
    const char    *device;
    int            threads;        /* 0: the cores this process may use */
    tide_precision precision;      /* of large products; 0: f32 */
    bool           strict;         /* a precision that the device lacks is TIDE_EDEVICE */
    tide_program_mode mode;        /* 0: default */
} predictor_settings;

/* `path`: a run folder, or a model.safetensors itself. Everything is compiled here. */
tide_status predictor_open(const char *path, const predictor_settings *s, predictor **out, tide_failure *failure);
/* The same from an archive that is read already; `path` is for messages. */
tide_status predictor_take(const char *path, const tide_archive *a, const predictor_settings *s, predictor **out,
                           tide_failure *failure);
/* Another one, of the same parameters, for another thread. Any thread may call it, as predictor_write_memory. */
tide_status predictor_clone(const predictor *of, predictor **out, tide_failure *failure);
/* The bytes of its model.safetensors: free(*bytes). */
tide_status predictor_write_memory(const predictor *p, void **bytes, size_t *size, tide_failure *failure);
/* Why it computes in f32 although 16 bits were asked for; "". */
const char *predictor_note(const predictor *p);
tide_graph *predictor_graph(const predictor *p);  /* its programs' */
void        predictor_free(predictor *p);  /* NULL is fine */
const spectrum_model *predictor_model(const predictor *p);

/* Takes in `count` spectra: rows of raw features. They stay until the next call. */
tide_status predictor_spectra(predictor *p, int64_t count, const float *raw, tide_failure *failure);
/* For each of `rows` questions: about spectrum[i], with the grid coordinates known_u[i] (NaN: missing). Probabilities
 * of every quantity's bins, (rows, quantities, bins); those of known parameters mean nothing. Questions are put in
 * batches. */
tide_status predictor_ask(predictor *p, int64_t rows, const int32_t *spectrum, const float (*known_u)[EIS_COUNT],
                          float *probability,
                          tide_failure *failure);

/* Both at once, of spectra about which nothing is known: (count, quantities, bins). */
tide_status predictor_screen(predictor *p, int64_t count, const float *raw, float *probability, tide_failure *failure);

/* The grid coordinate of the middle of a parameter's bin: how a candidate is told what it already assumes. */
static inline float bin_coordinate(eis_recipe recipe, int bin) {
    float middle = ((float)bin + 0.5F) / (float)recipe_bins(recipe);
    return recipe == EIS_RECIPE_GRID ? (float)bin : middle * (CELL_VALUES - 1);
}

/* ---- joint candidates (beam.c) ---- */

enum { BEAM_WIDTH = 16, BEAM_CANDIDATES = 32 };

typedef struct beam_candidate { int bin[EIS_COUNT]; double log_probability; } beam_candidate;  /* -1 where known */
typedef struct beam_case {
    int32_t spectrum;
    float   known_u[EIS_COUNT];    /* NaN: missing */
    int     count;                 /* out: candidates, best first */
    beam_candidate candidate[BEAM_CANDIDATES];
} beam_case;

/* The most probable assignments of the missing parameters, by the chain rule in the order Ca, Cb, Rsh, Ra, Rb:
 * BEAM_WIDTH partial assignments are followed (with 8 the best five of the candidates hold .005 less of the exact mass
 * at 5 % noise), and the best children of the last step kept. Many cases at once, in batches. */
tide_status beam_search(predictor *p, int64_t count, beam_case *cases, tide_failure *failure);

#endif
