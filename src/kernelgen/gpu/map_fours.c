/* Four neighbours of a thread, loaded, drawn and stored at once: a warp's accesses are then whole lines of memory, and
 * Philox, which makes four words at a time, is asked once. */
#include "map_gpu.h"

/* Whether the dimensions [first, end) lead from one four to another: a store that some of them do not move is of the
 * first alone. */
static bool between_fours(const map_print *p, const flat_instr *in, int32_t first, int32_t end, int32_t inner) {
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
    int32_t n = study_merge(p->m, map_operand(p, in), first, end, dim, stride) - inner;
    for (int32_t d = 0; d < n; d++)
        if (stride[d] % 4 != 0 || (in->op == FLAT_STORE && stride[d] == 0)) return false;
    return true;
}

map_access map_access_of(const map_print *p, const flat_instr *in) {
    const flat_map *m = p->m;
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
    int32_t split = p->shape.by_rows ? m->row_ndim : 0;
    int32_t n = study_merge(m, map_operand(p, in), split, m->ndim, dim, stride);
    bool    load = in->op == FLAT_LOAD;
    if (n == 0 || (stride[n - 1] == 0 && dim[n - 1] % 4 == 0)) return load ? MAP_SAME : MAP_EACH;
    if (stride[n - 1] != 1 || dim[n - 1] % 4 != 0 || !gpu_fours(p->g, map_operand(p, in))) return MAP_EACH;
    bool four = between_fours(p, in, split, m->ndim, 1);
    if (!load || in->kind == FLAT_FULL) four &= between_fours(p, in, 0, split, 0);
    return four ? MAP_FOUR : MAP_EACH;
}

static bool moves_fours(const map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        bool lane = in->op == FLAT_LOAD && (p->shape.by_rows ? per_lane(in->kind) : in->kind != FLAT_ONE);
        bool store = in->op == FLAT_STORE && (!p->shape.by_rows || map_stores_each(p, in));
        if ((lane || store) && map_access_of(p, in) == MAP_EACH) return false;
    }
    return true;
}

/* Draws are worth strides between a warp's accesses. */
bool map_has_fours(const map_print *p) {
    bool any = false;
    for (int32_t i = 0; i < p->m->count; i++) {
        if (!is_draw(&p->m->instrs[i])) continue;
        if (p->m->instrs[i].per_sample % 4 != 0) return false;
        any = true;
    }
    return any || moves_fours(p);
}

/* Here and before the loop over the four e and c are those of the first. */
void map_print_four_loads(map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (p->needed[i] && p->m->instrs[i].op == FLAT_LOAD) map_print_four_load(p, &p->m->instrs[i]);
}

void map_print_four_starts(map_print *p) {
    if (!p->ahead) map_print_four_loads(p);
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!p->needed[i]) continue;
        if (is_draw(in) && !p->pairs) map_print_words(p, in);
        if (in->op == FLAT_STORE && map_access_of(p, in) == MAP_FOUR)
            text_add(&p->out, "%s s%d[4];\n", gpu_register_type(map_operand(p, in)->type), in->operand);
    }
}

void map_print_four_ends(map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (p->needed[i] && p->m->instrs[i].op == FLAT_STORE) map_print_four_store(p, &p->m->instrs[i]);
}
