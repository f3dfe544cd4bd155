// The library from C++17: the macros of lists, names without mangling, a step that trains.
#include <array>
#include <cstdio>

#include <tidemill/eis.h>
#include <tidemill/forecast.h>
#include <tidemill/tidemill.h>

static bool learns(tide_graph *g) {
    const int64_t rows = 4;
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(rows, 1)), y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(rows, 1));
    tide_linear layer = tide_linear_new(g, "layer", 1, 1);
    tide_val loss = tide_mse_weighted(tide_linear_apply(&layer, x), y, TIDE_NO_WEIGHT);
    tide_list params = tide_params(g, "");
    tide_sgd_opts opts = {};
    opts.lr = tide_scalar(g, 0.1);
    tide_program *step = tide_compile(TIDE_LIST(loss, tide_sgd(params, tide_grad(loss, params), &opts)), nullptr);
    std::array<float, 4> xs = { -1, 0, 1, 2 }, ys = { -1, 1, 3, 5 };
    std::array<tide_feed, 2> feeds = { tide_feed{ x, xs.data() }, tide_feed{ y, ys.data() } };
    float last = 1;
    for (int i = 0; i < 200; i++) tide_run(step, feeds.data(), feeds.size());
    return tide_read(loss, &last, sizeof last) == TIDE_OK && last < 1e-6F;
}

static bool reduces(tide_graph *g) {
    tide_val ones = tide_fill(g, TIDE_F32, TIDE_SHAPE(2, 3, 4), 1);
    float sum[3] = { 0 }, all = 0;
    return tide_read(tide_sum(ones, TIDE_AXES(0, 2)), sum, sizeof sum) == TIDE_OK && sum[1] == 8 &&
           tide_read(tide_sum(ones, TIDE_ALL), &all, sizeof all) == TIDE_OK && all == 24 &&
           tide_shape_of(tide_sum(ones, TIDE_AXES_KEEP(-1))).dim[2] == 1 && tide_shape_count(TIDE_SCALAR) == 1;
}

int main() {
    tide_graph *g = tide_graph_new("cpu");
    bool good = learns(g) && reduces(g);
    if (!good) std::fprintf(stderr, "%s\n", tide_error(g)->message);
    tide_graph_free(g);
    return !good || !eis_parameters[0].name || !forecast_preset_name(0);
}
