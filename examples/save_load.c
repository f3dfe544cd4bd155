/* Parameters to a file and back, and a copy kept in memory. */
#include <unistd.h>

#include "example.h"

int main(void) {
    char        path[64];
    tide_graph *g     = tide_graph_new_with(&(tide_graph_options){ .device = "cpu", .seed = 7 });
    tide_linear layer = tide_linear_new(g, "layer", 3, 2);
    tide_val    y     = tide_linear_apply(&layer, tide_fill(g, TIDE_F32, TIDE_SHAPE(1, 3), 1));
    tide_list   params = tide_params(g, "");
    float       before[2], zeroed[2], loaded[2], zeros[6] = { 0 };
    snprintf(path, sizeof path, "example-%d.safetensors", (int)getpid());

    tide_failure failure = { 0 };
    tide_read(y, before, sizeof before);
    if (tide_save(params, path, &failure) != TIDE_OK) printf("save: %s\n", failure.message);

    tide_snapshot_t *kept = tide_snapshot(params); /* what training keeps as its best */
    tide_write(layer.weight, zeros, sizeof zeros);
    tide_read(y, zeroed, sizeof zeroed); /* only the bias is left */

    if (tide_load(params, path, &failure) != TIDE_OK) printf("load: %s\n", failure.message);
    tide_read(y, loaded, sizeof loaded);
    printf("before %g %g, zeroed %g %g, loaded %g %g\n", before[0], before[1], zeroed[0], zeroed[1], loaded[0],
           loaded[1]);

    tide_write(layer.weight, zeros, sizeof zeros);
    tide_restore(kept);
    tide_snapshot_free(kept);
    float restored[2];
    tide_read(y, restored, sizeof restored);

    if (tide_load(params, "no-such-file.safetensors", &failure) != TIDE_OK)
        printf("as expected: %s\n", failure.message);
    unlink(path);
    return finish(g, loaded[0] == before[0] && restored[1] == before[1] && zeroed[0] != before[0]);
}
