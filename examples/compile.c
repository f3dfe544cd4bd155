/* A program: inputs are fed at each run, memory is placed once, the passes can be looked at. */
#include <string.h>

#include "example.h"

static void show(void *user, const char *pass, const char *text) {
    int lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    printf("after %-10s %3d lines\n", pass, lines);
    *(int *)user += 1;
}

int main(void) {
    tide_graph *g = tide_graph_new("cpu");
    tide_val    x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(4)), count = tide_variable(g, "count", tide_scalar(g, 0));

    tide_val y    = tide_tanh(tide_add_scalar(tide_mul_scalar(x, 2), 1)); /* one kernel after fusion */
    tide_val tick = tide_assign(count, tide_add_scalar(count, 1));        /* an effect: happens when the program runs */
    int      passes = 0;
    tide_program *p = tide_compile(TIDE_LIST(y, tick), &(tide_compile_options){ .dump = show, .dump_user = &passes });

    for (int run = 0; run < 3; run++) {
        float in[4] = { 0, 1, 2, (float)run }, out[4];
        tide_run(p, (tide_feed[]){ { x, in } }, 1);
        tide_read(y, out, sizeof out);
        printf("run %d: %.4f %.4f %.4f %.4f\n", run, out[0], out[1], out[2], out[3]);
    }
    float runs = 0;
    tide_read(count, &runs, sizeof runs);
    tide_memory m = tide_program_bytes(p);
    printf("%g runs, %d kernels, %d bytes in all, known before the first run\n", runs, (int)tide_program_kernels(p),
           (int)m.total);
    return finish(g, runs == 3 && passes > 0 && m.total > 0);
}
