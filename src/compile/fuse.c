/* Decides which lane-wise nodes and reductions share a kernel. A group is one map kernel over a domain of rows x
 * columns: FULL members have one number per lane, ROW members one per row of `cols` lanes (from a reduction over the
 * columns), sums over all rows or all elements are its sinks, with one partial per task. So softmax, layer norm and
 * their derivatives, a loss, or a whole optimizer update each become one kernel without being written anywhere, and
 * what they hold in between never reaches memory.
 *
 * Nodes join in topological order the latest group of their inputs that takes them; a group ends where a product, a
 * permutation or a second use of a reduced value ends it. Two rules keep that sound and useful: a group is computed as
 * a whole, so nothing may join that needs, by a way outside, one of its own members (depends_on); and what could be had
 * before the products is not made to wait for them (keeps_waiting), or the chains of schedule.c would wait as well.
 *
 * One file, though long: placing, merging and the reasons given for what stayed apart are the same rules. */
#include "compile.h"
#include "levels.h"
#include "pass.h"

/* Members and externals bound a kernel's registers and operands; MOST_WORK bounds all searches of depends_on
 * together. */
enum { MOST_MEMBERS = 96, MOST_EXTERNALS = 48, MOST_WORK = 100000000 };

typedef struct fuser {
    const pass_graph *g;
    fusion  *f;
    bool     merge;
    int32_t *first, *next, *last;   /* members of a group; next[node] */
    int32_t *members, *externals;   /* counts of a group */
    int32_t *loader;                /* latest group that loads a node from outside; see group_now */
    int32_t *merged;                /* the group that an emptied group went into; 0: itself */
    bool    *waits;                 /* of each node: it needs a matrix product */
    bool    *late, *early;          /* of each group: a member waits; a member is a reduction that does not */
    uint32_t *seen, *seen_group, stamp;
    int32_t  most_visits;           /* of one search */
    int32_t *stack;
    levels   levels;
} fuser;

bool node_inlined(const ir_node *n) {
    return n->op == OP_FILL || n->op == OP_ARANGE || n->op == OP_RANDOM || n->op == OP_DROPMASK;
}

bool node_is_view(const ir_node *n) {
    return n->op == OP_RESHAPE || n->op == OP_PERMUTE || n->op == OP_BROADCAST || n->op == OP_SLICE;
}

int32_t through_reshapes(const pass_graph *g, int32_t node) {
    for (;; node = g->nodes[node]->in[0]) {
        const ir_node *n = g->nodes[node];
        bool same_order =
            n->op == OP_RESHAPE ||
            (n->op == OP_BROADCAST && tide_shape_count(n->shape) == tide_shape_count(g->nodes[n->in[0]]->shape));
        if (!same_order) return node;
    }
}

/* Casts count as views here: a weight in 16 bits is still a weight. */
static const ir_node *below_views(const pass_graph *g, int32_t node) {
    const ir_node *n = g->nodes[node];
    while (node_is_view(n) || n->op == OP_CAST) n = g->nodes[n->in[0]];
    return n;
}

bool node_of_variable(const pass_graph *g, int32_t node) {
    const ir_node *n = below_views(g, node);
    if (n->op != OP_CONCAT || g->cut.sums_by_task) return n->op == OP_VARIABLE;
    for (int32_t i = 0; i < n->n_in; i++)
        if (below_views(g, n->in[i])->op != OP_VARIABLE) return false;
    return n->n_in > 0;
}

/* A suffix of the axes is a row: its elements lie next to each other. Axes of size 1 belong to either side. */
int64_t reduced_suffix(tide_shape s, uint32_t axes) {
    int64_t product = 1;
    int i = s.ndim - 1;
    for (; i >= 0 && ((axes >> i & 1) || s.dim[i] == 1); i--) product *= s.dim[i];
    for (; i >= 0; i--)
        if ((axes >> i & 1) && s.dim[i] != 1) return 0;
    return product;
}

bool reduced_prefix(tide_shape s, uint32_t axes, int64_t *kept) {
    int i = 0;
    for (; i < s.ndim && ((axes >> i & 1) || s.dim[i] == 1); i++) {}
    for (*kept = 1; i < s.ndim; i++) {
        if ((axes >> i & 1) && s.dim[i] != 1) return false;
        *kept *= s.dim[i];
    }
    return true;
}

/* The node whose row i is element r = i / cols of `node`, if `node` broadcasts it along whole rows of `cols`; else
 * 0. */
static int32_t row_source(const pass_graph *g, int32_t node, int64_t cols) {
    node = through_reshapes(g, node);
    const ir_node *n = g->nodes[node];
    if (n->op != OP_BROADCAST || cols <= 1) return 0;
    tide_shape to = n->shape, from = g->nodes[n->in[0]]->shape;
    int64_t product = 1;
    int i = to.ndim - 1, shift = to.ndim - from.ndim;
    for (; i >= 0 && product < cols; i--) {
        if (i >= shift && from.dim[i - shift] != 1) return 0;
        product *= to.dim[i];
    }
    for (; i >= 0; i--)
        if ((i < shift ? 1 : from.dim[i - shift]) != to.dim[i]) return 0;
    return product == cols ? through_reshapes(g, n->in[0]) : 0;
}

static int64_t count_of(const fuser *u, int32_t node) { return tide_shape_count(u->g->nodes[node]->shape); }

/* ---- does computing `node` need any member of group `of`? A group is computed as a whole. What has no higher level
 * does not. A search that grows too long says yes, which is always safe: it bounds the work on large graphs. ---- */

static void visit(fuser *u, int32_t node, int32_t of, int32_t *depth) {
    node = u->levels.base[node];
    if (u->seen[node] == u->stamp) return;
    if (u->f->group[node] != of && *level_of(&u->levels, node) <= u->levels.of_group[of]) return;
    u->seen[node] = u->stamp;
    u->stack[(*depth)++] = node;
}

static void visit_inputs(fuser *u, int32_t node, int32_t of, int32_t *depth) {
    const ir_node *n = u->g->nodes[node];
    for (int32_t i = 0; i < n->n_in; i++) visit(u, n->in[i], of, depth);
}

static bool depends_on(fuser *u, int32_t node, int32_t of) {
    int32_t depth = 0, left = u->most_visits;
    visit(u, node, of, &depth);
    while (depth) {
        int32_t id = u->stack[--depth], group = u->f->group[id];
        if (group == of || --left < 0) return true;
        if (!group) visit_inputs(u, id, of, &depth);
        else if (u->seen_group[group] != u->stamp) {
            u->seen_group[group] = u->stamp;
            for (int32_t m = u->first[group]; m; m = u->next[m]) visit_inputs(u, m, of, &depth);
        }
    }
    return false;
}

/* ---- joining ---- */

static int32_t group_new(fuser *u, int64_t elements, int64_t cols) {
    int32_t group = u->f->groups++;
    u->f->elements[group] = elements;
    u->f->cols[group] = cols;
    return group;
}

static void join(fuser *u, int32_t node, int32_t group, member_kind kind) {
    u->f->group[node] = group;
    u->f->kind[node] = (uint8_t)kind;
    if (!u->first[group]) u->first[group] = node;
    else u->next[u->last[group]] = node;
    u->last[group] = node;
    u->members[group]++;
}

/* Registers hold 16-bit floats as F32, so a cast to 16 bits rounds only where it is stored: it is read from there. */
bool node_rounds(const ir_node *n) { return n->op == OP_CAST && type_half((tide_dtype)n->type); }

int32_t fused_input(const pass_graph *g, const fusion *f, int32_t in, int32_t group) {
    int32_t direct = through_reshapes(g, in);
    if (f->group[direct] == group) return node_rounds(g->nodes[direct]) ? 0 : direct;
    int32_t row = row_source(g, in, f->cols[group]);
    return row && f->group[row] == group && f->kind[row] == MEMBER_ROW && !node_rounds(g->nodes[row]) ? row : 0;
}

static int32_t inside(const fuser *u, int32_t in, int32_t group) { return fused_input(u->g, u->f, in, group); }

/* A member may be read lane by lane where both are FULL; a ROW member by rows directly, by lanes through a broadcast
 * that repeats it along the row. */
static bool input_fits(const fuser *u, int32_t in, int32_t member, member_kind as) {
    bool direct = through_reshapes(u->g, in) == member;
    if (u->f->kind[member] == MEMBER_FULL) return as == MEMBER_FULL;
    return u->f->kind[member] == MEMBER_ROW && (as == MEMBER_ROW) == direct;
}

static bool is_reduction(const ir_node *n) {
    return n->op == OP_SUM || n->op == OP_MAX || n->op == OP_MIN || n->op == OP_ARGMAX || n->op == OP_ARGMIN;
}

/* A count, a weight's sum or a single number that could be had at once is not made to wait for products: others wait
 * for it. */
static bool keeps_waiting(const fuser *u, bool late, bool early, int32_t group) {
    if (u->f->elements[group] == 1) return late != u->late[group];
    return (late && u->early[group]) || (early && u->late[group]);
}

/* A number that is added to a group's: where kernels are launches, those that make the terms of a sum, as a norm is of
 * all gradients, should not have to wait for each other. */
static bool adds_up(const fuser *u, const ir_node *n, int32_t group) {
    bool outside = false, sum = n->op == OP_SCALAR && n->attr.scalar == S_ADD && tide_shape_count(n->shape) == 1;
    if (!sum || !u->g->numbers->sums_apart || u->f->elements[group] == 1) return false;
    for (int32_t i = 0; i < n->n_in; i++)
        outside |= !inside(u, n->in[i], group) && !node_inlined(u->g->nodes[n->in[i]]);
    return outside;
}

/* May `node` be computed inside `group` as kind `as`? */
static bool may_join(fuser *u, int32_t node, int32_t group, member_kind as) {
    const ir_node *n = u->g->nodes[node];
    if (keeps_waiting(u, u->waits[node], is_reduction(n) && !u->waits[node], group)) return false;
    if (adds_up(u, n, group)) return false;
    if (u->members[group] >= MOST_MEMBERS || u->externals[group] + n->n_in > MOST_EXTERNALS) return false;
    u->stamp++;
    for (int32_t i = 0; i < n->n_in; i++) {
        int32_t member = inside(u, n->in[i], group);
        if (member ? !input_fits(u, n->in[i], member, as) : depends_on(u, n->in[i], group)) return false;
    }
    return true;
}

static void join_as(fuser *u, int32_t node, int32_t group, member_kind kind) {
    const ir_node *n = u->g->nodes[node];
    for (int32_t i = 0; i < n->n_in; i++) {
        if (inside(u, n->in[i], group)) continue;
        u->externals[group]++;
        int32_t direct = through_reshapes(u->g, n->in[i]);
        bool spread = u->g->nodes[direct]->op == OP_BROADCAST || node_inlined(u->g->nodes[direct]);
        bool gains = !spread && !node_rounds(n);  /* nothing gains by joining what rounds a value for products */
        if (gains && count_of(u, direct) == u->f->elements[group]) u->loader[direct] = group;
    }
    join(u, node, group, kind);
    levels_join(&u->levels, node);
    u->late[group] |= u->waits[node];
    u->early[group] |= is_reduction(n) && !u->waits[node];
}

/* Merging leaves forwarding entries; following them shortens the way for the next. */
static int32_t group_now(const fuser *u, int32_t group) {
    while (u->merged[group]) {
        if (u->merged[u->merged[group]]) u->merged[group] = u->merged[u->merged[group]];
        group = u->merged[group];
    }
    return group;
}

/* Groups worth trying for a node: of its inputs, of the rows they spread, and groups that load the same values. */
static int32_t candidates(const fuser *u, const ir_node *n, int32_t out[16]) {
    int32_t count = 0;
    for (int32_t i = 0; i < n->n_in && count < 12; i++) {
        int32_t direct = through_reshapes(u->g, n->in[i]);
        const ir_node *d = u->g->nodes[direct];
        int32_t found[3] = { u->f->group[direct], group_now(u, u->loader[direct]), 0 };
        if (d->op == OP_BROADCAST) found[2] = u->f->group[through_reshapes(u->g, d->in[0])];
        for (int j = 0; j < 3; j++)
            if (found[j] && count < 16) out[count++] = found[j];
    }
    for (int32_t i = 1; i < count; i++)  /* latest first */
        for (int32_t j = i; j > 0 && out[j] > out[j - 1]; j--) {
            int32_t t = out[j];
            out[j] = out[j - 1], out[j - 1] = t;
        }
    return count;
}

/* Two groups that both feed a node become one if nothing between them is outside. */
static bool independent(fuser *u, int32_t from, int32_t of) {
    u->stamp++;
    for (int32_t m = u->first[from]; m; m = u->next[m]) {
        const ir_node *n = u->g->nodes[m];
        member_kind as = is_reduction(n) ? MEMBER_FULL : (member_kind)u->f->kind[m];
        for (int32_t i = 0; i < n->n_in; i++) {
            int32_t member = inside(u, n->in[i], of);
            if (u->f->group[through_reshapes(u->g, n->in[i])] == from) continue;
            if (member ? !input_fits(u, n->in[i], member, as) : depends_on(u, n->in[i], of)) return false;
        }
    }
    return true;
}

/* Both ways must be independent: one group, computed as a whole, comes before or after everything outside it. */
static bool mergeable(fuser *u, int32_t a, int32_t b) {
    fusion *f = u->f;
    if (a == b || f->elements[a] != f->elements[b] || (f->cols[a] && f->cols[b] && f->cols[a] != f->cols[b]))
        return false;
    if (u->members[a] + u->members[b] > MOST_MEMBERS || u->externals[a] + u->externals[b] > MOST_EXTERNALS)
        return false;
    return !keeps_waiting(u, u->late[a], u->early[a], b) && independent(u, a, b) && independent(u, b, a);
}

static void sort_members(fuser *u, int32_t group, int32_t count) {
    int32_t at = 0;
    for (int32_t m = u->first[group]; m; m = u->next[m]) u->stack[at++] = m;
    for (int32_t i = 1; i < count; i++)
        for (int32_t j = i; j > 0 && u->stack[j] < u->stack[j - 1]; j--) {
            int32_t t = u->stack[j];
            u->stack[j] = u->stack[j - 1], u->stack[j - 1] = t;
        }
    u->first[group] = u->stack[0];
    for (int32_t i = 0; i < count; i++) u->next[u->stack[i]] = i + 1 < count ? u->stack[i + 1] : 0;
    u->last[group] = u->stack[count - 1];
}

static void merge_groups(fuser *u, int32_t into, int32_t from) {
    fusion *f = u->f;
    for (int32_t m = u->first[from]; m; m = u->next[m]) f->group[m] = into;
    u->next[u->last[into]] = u->first[from];
    if (!f->cols[into]) f->cols[into] = f->cols[from];
    u->members[into] += u->members[from];
    u->externals[into] += u->externals[from];
    u->late[into] |= u->late[from], u->early[into] |= u->early[from];
    sort_members(u, into, u->members[into]);
    u->first[from] = u->members[from] = 0;
    u->merged[from] = into;
    levels_merge(&u->levels, into, from);
}

/* `node` has just joined one of the groups that feed it; the others may join it too, as when a loss reads two
 * branches. */
static void merge_producers(fuser *u, int32_t node, const int32_t *found, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        int32_t group = u->f->group[node], other = found[i];
        if (u->first[other] && mergeable(u, group, other)) merge_groups(u, group, other);
    }
}

/* A node with one element a row belongs to a group only through a row of it: any scalar has the size of one row. */
static bool reads_row(const fuser *u, const ir_node *n, int32_t group) {
    for (int32_t i = 0; i < n->n_in; i++) {
        int32_t direct = through_reshapes(u->g, n->in[i]);
        if (u->f->group[direct] == group && u->f->kind[direct] == MEMBER_ROW) return true;
    }
    return false;
}

/* ---- one rule for each sort of node ---- */

/* The latest candidate group that takes the node; else a group of its own, which later nodes may join. */
static void place_lane(fuser *u, int32_t node) {
    const ir_node *n = u->g->nodes[node];
    int64_t count = count_of(u, node);
    int32_t found[16], n_found = u->merge ? candidates(u, n, found) : 0;
    for (int32_t i = 0; i < n_found; i++) {
        fusion *f = u->f;
        int32_t group = found[i];
        int64_t rows = f->cols[group] ? f->elements[group] / f->cols[group] : 0;
        if (!u->first[group]) continue;
        member_kind kind = count == f->elements[group] ? MEMBER_FULL : count == rows ? MEMBER_ROW : MEMBER_NONE;
        if (kind == MEMBER_NONE || (kind == MEMBER_ROW && !reads_row(u, n, group)) || !may_join(u, node, group, kind))
            continue;
        join_as(u, node, group, kind);
        merge_producers(u, node, found, n_found);
        return;
    }
    join_as(u, node, group_new(u, count, 0), MEMBER_FULL);
}

/* How a reduction can be a member: ROW over `cols`, or a sink. */
typedef struct way { member_kind kind; int64_t cols; } way;

static int32_t ways_of(const fuser *u, const ir_node *n, way out[3]) {
    tide_shape from = u->g->nodes[n->in[0]]->shape;
    bool arg = n->op == OP_ARGMAX || n->op == OP_ARGMIN;
    uint32_t axes = arg ? 1u << n->attr.axis : n->attr.axes;
    int64_t suffix = reduced_suffix(from, axes), kept, all = tide_shape_count(from);
    bool prefix = n->op == OP_SUM && reduced_prefix(from, axes, &kept);
    int32_t count = 0;
    bool large = n->op == OP_SUM && suffix == all && all > u->g->numbers->whole_row;
    if (suffix && !large) out[count++] = (way){ MEMBER_ROW, suffix };
    if (prefix && kept == 1) out[count++] = (way){ MEMBER_ALL_SUM, 0 };
    else if (prefix) out[count++] = (way){ MEMBER_COL_SUM, kept };
    return count;
}

/* The reduced value is a member; its input must be FULL there, so that the reduction reads registers, not memory. */
static bool try_reduction(fuser *u, int32_t node, int32_t group, way w) {
    fusion *f = u->f;
    const ir_node *n = u->g->nodes[node];
    if (!u->first[group] || f->elements[group] != count_of(u, n->in[0])) return false;
    if (w.cols && f->cols[group] && w.cols != f->cols[group]) return false;
    if (!may_join(u, node, group, MEMBER_FULL)) return false;  /* its input must be FULL there */
    if (w.cols) f->cols[group] = w.cols;
    join_as(u, node, group, w.kind);
    return true;
}

static void place_reduction(fuser *u, int32_t node) {
    const ir_node *n = u->g->nodes[node];
    way ways[3];
    int32_t found[16], n_found = u->merge ? candidates(u, n, found) : 0, n_ways = ways_of(u, n, ways);
    for (int32_t w = 0; w < n_ways; w++)
        for (int32_t i = 0; i < n_found; i++)
            if (try_reduction(u, node, found[i], ways[w])) return;
    join_as(u, node, group_new(u, count_of(u, n->in[0]), ways[0].cols), ways[0].kind);
}

/* ---- why two kernels are not one: asked afterwards, of the groups as they came out ---- */

/* The node that computes what `in` shows, and the first view on the way that changes the order or number of lanes;
 * 0. */
static int32_t maker_of(const fuser *u, int32_t in, int32_t *view) {
    for (*view = 0;; in = u->g->nodes[in]->in[0]) {
        in = through_reshapes(u->g, in);
        const ir_node *n = u->g->nodes[in];
        if (n->op != OP_PERMUTE && n->op != OP_SLICE && n->op != OP_BROADCAST) return in;
        if (!*view) *view = in;
    }
}

static const char *why_view(const fuser *u, int32_t in, int32_t maker, int32_t view, int32_t group) {
    if (!view) return NULL;
    if (u->g->nodes[view]->op == OP_PERMUTE) return "it is read in another order";
    if (u->g->nodes[view]->op == OP_SLICE) return "only a part of it is read";
    if (row_source(u->g, in, u->f->cols[group]) == maker) return NULL;
    return "it is repeated over another domain";
}

static const char *why_apart(fuser *u, int32_t in, int32_t maker, int32_t view, int32_t reader) {
    const fusion *f = u->f;
    int32_t a = f->group[maker], b = f->group[reader];
    if (!u->merge) return "kernels are not fused in this mode";
    if (f->kind[maker] == MEMBER_COL_SUM || f->kind[maker] == MEMBER_ALL_SUM)
        return "a sum over rows is known only when its kernel has ended";
    if (node_rounds(u->g->nodes[maker])) return "it is rounded to 16 bits where it is stored";
    const char *by_view = why_view(u, in, maker, view, b);
    if (by_view) return by_view;
    if (f->elements[a] != f->elements[b]) return "the kernels have different domains";
    if (f->cols[a] && f->cols[b] && f->cols[a] != f->cols[b]) return "the kernels have rows of different lengths";
    if (u->members[a] + u->members[b] > MOST_MEMBERS)
        return "together they would be too many operations for one kernel";
    if (u->externals[a] + u->externals[b] > MOST_EXTERNALS)
        return "together they would read too many values for one kernel";
    if (!independent(u, b, a) || !independent(u, a, b))
        return "a product, a whole reduction or another order lies between the two";
    if (keeps_waiting(u, u->late[a], u->early[a], b)) return "one of them need not wait for products as the other must";
    return "each had its kernel before this value joined them";
}

static bool noted(const apart_notes *notes, int32_t from, int32_t to, int32_t maker, const int32_t *makers) {
    for (int32_t i = notes->count - 1; i >= 0; i--)
        if (notes->items[i].from == from && notes->items[i].to == to && makers[i] == maker) return true;
    return false;
}

static void note_input(fuser *u, int32_t reader, int32_t in, arena *memory, apart_notes *notes, int32_t *makers) {
    int32_t view, maker = maker_of(u, in, &view), from = u->f->group[maker], to = u->f->group[reader];
    char shape[128];
    if (!from || from == to || noted(notes, from, to, maker, makers)) return;
    const ir_node *n = u->g->nodes[maker];
    apart_note *note = &notes->items[notes->count];
    const char *op = n->op == OP_SCALAR ? scalar_names[n->attr.scalar] : ir_op_names[n->op];
    *note = (apart_note){ .from = from, .to = to, .why = why_apart(u, in, maker, view, reader) };
    note->value = arena_printf(memory, "%s %s", op, shape_text(shape, n->shape));
    note->bytes = tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
    makers[notes->count++] = maker;
}

static void note_apart(fuser *u, arena *memory, apart_notes *notes) {
    int32_t edges = 1;
    for (int32_t id = 1; id < u->g->count; id++)
        if (u->f->group[id]) edges += u->g->nodes[id]->n_in;
    int32_t *makers = arena_new(u->g->memory, int32_t, edges);
    *notes = (apart_notes){ .items = arena_new(memory, apart_note, edges) };
    for (int32_t id = 1; id < u->g->count; id++)
        for (int32_t i = 0; u->f->group[id] && i < u->g->nodes[id]->n_in; i++)
            if (!inside(u, u->g->nodes[id]->in[i], u->f->group[id]))
                note_input(u, id, u->g->nodes[id]->in[i], memory, notes, makers);
}

void pass_fuse(const pass_graph *g, bool merge, fusion *out, arena *note_memory, apart_notes *notes) {
    arena *m = g->memory;
    int32_t n = g->count + 1;
    *out = (fusion){ .group = arena_new(m, int32_t, n), .kind = arena_new(m, uint8_t, n), .groups = 1,
                     .elements = arena_new(m, int64_t, n), .cols = arena_new(m, int64_t, n) };
    fuser u = { .g = g, .f = out, .merge = merge, .most_visits = MOST_WORK / n };
    u.first = arena_new(m, int32_t, n), u.next = arena_new(m, int32_t, n), u.last = arena_new(m, int32_t, n);
    u.members = arena_new(m, int32_t, n), u.externals = arena_new(m, int32_t, n), u.loader = arena_new(m, int32_t, n),
    u.merged = arena_new(m, int32_t, n);
    u.waits = arena_new(m, bool, n), u.late = arena_new(m, bool, n), u.early = arena_new(m, bool, n);
    u.seen = arena_new(m, uint32_t, n), u.seen_group = arena_new(m, uint32_t, n), u.stack = arena_new(m, int32_t, n);
    levels_init(&u.levels, g, out, u.first, u.next);
    for (int32_t id = 1; id < g->count; id++) {
        const ir_node *node = g->nodes[id];
        u.levels.placed = id;
        u.waits[id] = node_is_product(node);
        for (int32_t i = 0; i < node->n_in; i++) u.waits[id] |= u.waits[node->in[i]];
        if (is_reduction(node)) place_reduction(&u, id);
        else if (node->op == OP_SCALAR || node->op == OP_CAST) place_lane(&u, id);
        else if (!node_is_view(node)) levels_join(&u.levels, id);
    }
    if (notes) note_apart(&u, note_memory, notes);
}
