#include "recipes.h"

#include <string.h>

#include "arcs_features.h"
#include "quantities.h"
#include "spectra.h"

const recipe_kind recipe_kinds[] = {
    [EIS_RECIPE_LAB] = { .name = "lab",
                         .features = LAB_WIDTH,
                         .known = KNOWN_WIDTH,
                         .quantities = QUANTITIES_LAB,
                         .bins = BINS_LAB,
                         .masks = MASKS,
                         .parameters = EIS_COUNT,
                         .scored = EIS_COUNT,
                         .levels = QUANTITIES_LAB,
                         .intervals = true },
    [EIS_RECIPE_GRID] = { .name = "grid",
                          .features = GRID_WIDTH,
                          .known = KNOWN_WIDTH,
                          .quantities = QUANTITIES_GRID,
                          .bins = BINS_GRID,
                          .masks = MASKS,
                          .parameters = EIS_COUNT,
                          .scored = EIS_COUNT,
                          .levels = QUANTITIES_LAB },
    [EIS_RECIPE_CELL] = { .name = "cell",
                          .features = ARCS_WIDTH,
                          .known = 1,
                          .quantities = QUANTITIES_CELL,
                          .bins = BINS_LAB,
                          .masks = 1,
                          .scored = QUANTITIES_CELL,
                          .levels = QUANTITIES_CELL,
                          .intervals = true },
};

int recipe_find(const char *name) {
    for (int i = 0; name && i < RECIPES; i++)
        if (!strcmp(recipe_kinds[i].name, name)) return i;
    return -1;
}
