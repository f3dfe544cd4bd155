/* Arrays without a program: nothing is computed until it is read. */
#include "example.h"

int main(void) {
    tide_graph *g = tide_graph_new("cpu");
    tide_val    a = tide_constant(g, TIDE_F32, TIDE_SHAPE(2, 3), (float[]){ 1, 2, 3, 4, 5, 6 });
    tide_val    row = tide_constant(g, TIDE_F32, TIDE_SHAPE(3), (float[]){ 10, 20, 30 });

    tide_val sum     = tide_add(a, row); /* broadcast over rows; still only a recipe */
    tide_val product = tide_matmul(sum, tide_transpose(a, 0, 1));
    tide_val share   = tide_softmax(tide_mul_scalar(product, 0.01), -1);

    float p[4], s[4]; /* reading computes what is needed, once */
    tide_read(product, p, sizeof p);
    tide_read(share, s, sizeof s);
    printf("product  %g %g\n         %g %g\n", p[0], p[1], p[2], p[3]);
    printf("softmax  %.3f %.3f\n         %.3f %.3f\n", s[0], s[1], s[2], s[3]);

    tide_val wrong = tide_matmul(a, a); /* (2, 3) times (2, 3): the graph keeps the reason */
    printf("a wrong product is %s: %s\n", tide_ok(wrong) ? "fine" : "refused", tide_error(g)->message);
    bool good = p[0] == 154 && p[3] == 397 && s[0] < s[1] && !tide_ok(wrong);
    tide_graph_free(g);
    return good ? 0 : 1;
}
