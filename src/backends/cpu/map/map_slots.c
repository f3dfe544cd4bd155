/* Where a planned map kernel's values are kept: slots of the thread's scratch, few of them, so that they stay in the
 * first-level cache. */
#include "map_plan.h"

typedef struct slot { int64_t offset, bytes; int32_t free_after; } slot;

static int64_t value_bytes(const plan *p, const draft *v) {
    int64_t n = v->kind == FLAT_FULL || v->kind == FLAT_COL ? p->x->block_cols : 1;
    if (v->kind == FLAT_FULL || v->kind == FLAT_ROW) n *= p->x->block_rows;
    return round_up(MAX2(n, 1) * map_size(v->type), 64);
}

/* A strip may replace one that its step reads for the last time, if both go through alike. */
static bool may_replace(const plan *p, const map_step *s, int32_t index, const slot *old) {
    if (old->free_after < index) return true;
    if (old->free_after > index || (s->what != STEP_STRIP && s->what != STEP_BY_ROW)) return false;
    for (int i = 0; i < 3; i++) {
        const draft *v = &p->values[s->src[i]];
        if (!v->at.fixed && v->at.place.offset == old->offset && v->last_use == index &&
            (v->kind != s->kind || map_size(v->type) != s->size))
            return false;
    }
    return true;
}

static void find_last_uses(plan *p) {
    for (int32_t i = 0; i < p->n_steps; i++)
        for (int j = 0; j < 3; j++) p->values[p->steps[i].src[j]].last_use = i;
}

int64_t map_place_slots(plan *p, int64_t used) {
    slot   *slots = arena_new(p->build->temp, slot, p->n_values);
    int32_t n_slots = 0;
    find_last_uses(p);
    for (int32_t i = 0; i < p->n_steps; i++) {
        const map_step *s = &p->steps[i];
        draft *v = &p->values[s->dst];
        if (v->at.fixed) continue;
        int64_t bytes = value_bytes(p, v);
        slot   *found = NULL;
        for (int32_t j = 0; j < n_slots && !v->once && !found; j++)
            if (slots[j].bytes == bytes && may_replace(p, s, i, &slots[j])) found = &slots[j];
        if (!found) {
            found = &slots[n_slots++];
            *found = (slot){ .offset = used, .bytes = bytes };
            used += bytes;
        }
        found->free_after = v->once ? INT32_MAX : MAX2(v->last_use, i);
        v->at.place.offset = found->offset;
    }
    return used;
}
