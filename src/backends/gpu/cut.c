/* The numbers of GPUs. Tasks are no unit of work there, a launch takes a kernel whole: what is left of the cut are the
 * partials of sums over rows, of which there must be enough for all multiprocessors, and sums over everything, which
 * must not be one group's. */
#include "driver.h"

const backend_cut gpu_cut = {
    .grains = 128, .grain_rows = 8, .alike_rows = 1,
    .fewest_tasks = 128, .least_rows = 1, .most_rows = 64, .most_lanes = 1 << 16,
    .least_lanes = 1, .least_sample_lanes = 1, .least_common_rows = 1,
    .map_lanes = 2048, .row_map_rows = 16, .row_map_least = 1, .row_map_most = 1 << 20,
    .product_rows = 64, .gradient_rows = 128,
    .few_rows = 1, .few_cols = 1, .few_tasks = 1, .small_product = 1,
    .whole_row = 4096,
    /* narrow ones too; but of few terms are the products of a network's inputs, which 16 bits would round */
    .half_rows = 8, .half_cols = 8, .half_depth = 32, .half_work = 1 << 17, .half_queries = 1,
    .product_ends = true, .product_joins = true, .sums_apart = true, .joins_masks = true, .parts_in_place = true,
};
