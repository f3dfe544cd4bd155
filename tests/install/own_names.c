/* A program with functions that are called as some within the library are. */
#include <stdio.h>

#include <tidemill/tidemill.h>

static int calls;
int  fail(void);
int  text_add(void);
void *arena_alloc(void);
int  fail(void) { return ++calls; }
int  text_add(void) { return ++calls; }
void *arena_alloc(void) { return &calls; }
int  quantities = 3;

int main(void) {
    tide_graph *g = tide_graph_new("cpu");
    float two = 0;
    tide_status status = tide_read(tide_add_scalar(tide_fill(g, TIDE_F32, TIDE_SCALAR, 1), 1), &two, sizeof two);
    tide_graph_free(g);
    printf("%s %g\n", tide_status_name(status), two);
    return status != TIDE_OK || fail() + text_add() != 3 || arena_alloc() != &calls || quantities != 3;
}
