/* What the network of each recipe takes and gives. */
#ifndef EIS_RECIPES_H
#define EIS_RECIPES_H

#include <tidemill/eis.h>

typedef struct recipe_kind {
    const char *name;
    int64_t features; /* numbers that a spectrum is */
    int64_t known; /* numbers that say what is known of the circuit */
    int64_t quantities, bins;
    int masks; /* sets of known values a visit to a training spectrum */
    int parameters; /* the first so many quantities are asked for only where they are missing */
    int scored; /* the first so many quantities count in the accuracy */
    int64_t levels; /* rows of interval levels in a model's file */
    bool intervals; /* that are calibrated */
} recipe_kind;
extern const recipe_kind recipe_kinds[];
enum { RECIPES = 3 };

static inline int64_t features_width(eis_recipe r) { return recipe_kinds[r].features; }
static inline int64_t recipe_known(eis_recipe r) { return recipe_kinds[r].known; }
static inline int64_t recipe_quantities(eis_recipe r) { return recipe_kinds[r].quantities; }
static inline int64_t recipe_bins(eis_recipe r) { return recipe_kinds[r].bins; }
static inline int recipe_masks(eis_recipe r) { return recipe_kinds[r].masks; }

/* -1: there is no such recipe. */
int recipe_find(const char *name);

#endif
