/* Programs for values that no program of the caller's computes: made at the first read, kept for the next of their
 * kind, the one that was not used for longest given up for a new one. */
#include "lazy.h"

enum { MOST_KEPT = 64 };
static const int64_t most_kept_bytes = 64 << 20;  /* besides the one that was used last */

typedef struct kept_program {
    tide_program *program;
    int64_t  *words;
    int32_t   n_words;
    uint64_t  hash;
    int32_t   newest;  /* as lazy_key's */
    int64_t   used;    /* when; ascending */
} kept_program;

struct lazy {
    lazy_key     key;
    kept_program kept[MOST_KEPT + 1];
    int32_t      count;
    int64_t      uses;
};

static void drop(tide_graph *g, int32_t i) {
    struct lazy *l = g->runtime->lazy;
    kept_program *k = &l->kept[i];
    tide_program_free(k->program);
    mem_free(&g->allocator, k->words, (size_t)k->n_words * sizeof *k->words);
    *k = l->kept[--l->count];
    l->kept[l->count] = (kept_program){ 0 };
}

void lazy_forget(tide_graph *g, int32_t count) {
    struct lazy *l = g->runtime->lazy;
    for (int32_t i = l ? l->count - 1 : -1; i >= 0; i--)
        if (l->kept[i].newest >= count) drop(g, i);
}

void lazy_free(tide_graph *g) {
    struct lazy *l = g->runtime->lazy;
    if (!l) return;
    while (l->count) drop(g, l->count - 1);
    lazy_key_free(&l->key, g);
    mem_free(&g->allocator, l, sizeof *l);
    g->runtime->lazy = NULL;
}

bool lazy_owns(const tide_graph *g, const tide_program *p) {
    const struct lazy *l = g->runtime->lazy;
    for (int32_t i = 0; l && i < l->count; i++)
        if (l->kept[i].program == p) return true;
    return false;
}

static int64_t bytes_of(const kept_program *k) { return k->program->block_bytes + k->program->scratch_bytes; }

/* Until few enough are left; the last to be used stays. */
static void drop_oldest(tide_graph *g) {
    struct lazy *l = g->runtime->lazy;
    for (;;) {
        int32_t oldest = 0, newest = 0;
        int64_t bytes = 0;
        for (int32_t i = 0; i < l->count; i++) {
            if (l->kept[i].used < l->kept[oldest].used) oldest = i;
            if (l->kept[i].used > l->kept[newest].used) newest = i;
            bytes += bytes_of(&l->kept[i]);
        }
        if (l->count < 2 || (l->count <= MOST_KEPT && bytes - bytes_of(&l->kept[newest]) <= most_kept_bytes)) return;
        drop(g, oldest);
    }
}

static kept_program *find(struct lazy *l) {
    const lazy_key *key = &l->key;
    for (int32_t i = 0; i < l->count; i++) {
        kept_program *k = &l->kept[i];
        if (k->hash == key->hash && k->n_words == key->n_words &&
            !memcmp(k->words, key->words, (size_t)key->n_words * sizeof *key->words))
            return k;
    }
    return NULL;
}

static tide_program *make(tide_val v, const lazy_key *key, tide_failure *why) {
    tide_graph *g = v.graph;
    compile_request request = runtime_request(g, (tide_list){ &v, 1 });
    request.leaves = key->leaves, request.n_leaves = key->n_leaves, request.n_slots = key->n_fed;
    tide_program *p = program_make(g, &request, &(program_how){ 0 });
    if (p && p->exec) return p;
    if (p) *why = p->failure;
    else fail(why, TIDE_ENOMEM, "read: out of memory");
    tide_program_free(p);
    return NULL;
}

static kept_program *keep(tide_val v, tide_failure *why) {
    tide_graph *g = v.graph;
    struct lazy *l = g->runtime->lazy;
    size_t bytes = (size_t)l->key.n_words * sizeof *l->key.words;
    int64_t *words = mem_new(&g->allocator, bytes);
    if (!words) return fail(why, TIDE_ENOMEM, "read: out of memory"), NULL;
    memcpy(words, l->key.words, bytes);
    kept_program k = { make(v, &l->key, why), words, l->key.n_words, l->key.hash, l->key.newest, ++l->uses };
    if (!k.program) return mem_free(&g->allocator, words, bytes), NULL;
    l->kept[l->count++] = k;
    drop_oldest(g);
    return find(l);
}

static tide_status run(tide_program *p, const lazy_key *key, tide_failure *why) {
    for (int32_t i = 0; i < key->n_fed; i++) p->fed[i] = key->fed[i].data ? key->fed[i].data : &key->fed[i].as;
    tide_status status = program_run_fed(p);
    if (status) *why = p->failure;
    return status;
}

tide_status lazy_value(tide_val v, location *where, tide_failure *why) {
    runtime *rt = v.graph->runtime;
    if (!rt->lazy) rt->lazy = mem_new(&v.graph->allocator, sizeof *rt->lazy);
    if (!rt->lazy) return fail(why, TIDE_ENOMEM, "read: out of memory");
    tide_status status = lazy_key_of(&rt->lazy->key, v, why);
    if (status) return status;
    kept_program *k = find(rt->lazy);
    if (!k) k = keep(v, why);
    if (!k) return why->status;
    k->used = ++rt->lazy->uses;
    status = run(k->program, &rt->lazy->key, why);
    if (!status) *where = program_output(k->program, 0);
    return status;
}
