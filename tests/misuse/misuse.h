/* Rows of misuse: each calls one public function with what a slip of the caller's would hand to it. */
#ifndef MISUSE_H
#define MISUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <tidemill/backtest.h>
#include <tidemill/eis.h>
#include <tidemill/explain.h>
#include <tidemill/forecast.h>
#include <tidemill/serve.h>
#include <tidemill/tidemill.h>
#include <tidemill/tune.h>

/* What a row may use besides: all of it sound. */
typedef struct trial {
    tide_graph *g, *other;
    tide_val    x;          /* F32 (2, 3) */
    tide_val    flag;       /* BOOL () */
    tide_val    index;      /* I32 (2) */
    tide_val    w;          /* F32 (2, 3), a variable */
    tide_val    in;         /* F32 (2, 3), the input "in" */
    tide_val    scalar;     /* F32 () */
    tide_val    strange;    /* F32 (2, 3), of `other` */
    tide_program *p;        /* computes 2 in; not run yet */
    tide_failure  failure;
    float         six[6];
    char          id[TIDE_COMMUNICATOR_ID];
    tide_communicator *c;
} trial;

typedef struct row {
    const char *name, *what;
    bool        alone;                            /* no other operand has a graph that could be told */
    tide_val  (*value)(trial *t, tide_val bad);   /* to be called with values that are none: must give poison */
    bool      (*refused)(trial *t);               /* or a call of its own: whether it was refused as it should be */
} row;

typedef struct rows { const row *row; int count; } rows;
rows misuse_ops(void), misuse_core(void), misuse_layers(void), misuse_files(void), misuse_apps(void),
    misuse_handles(void);

/* The poison value, and the trial's graph says why. */
static inline bool poisoned(const trial *t, tide_val v) { return !tide_ok(v) && tide_error(t->g)->status != TIDE_OK; }
static inline bool failed(const trial *t) { return tide_error(t->g)->status != TIDE_OK; }

/* A call that fails for a reason of its own leaves nothing of the failure that `failure` holds from an earlier one. */
#define OLD_FAILURE "a failure of an earlier call"
#define STALE(R, f, ...) R(f, 99, OLD_FAILURE, (leave_old(t), fresh(t, f(__VA_ARGS__, &t->failure))))
static inline void leave_old(trial *t) {
    t->failure = (tide_failure){ TIDE_EIO, 77, "old column", "old file", "an old message" };
}
static inline bool fresh(const trial *t, tide_status status) {
    const tide_failure *f = &t->failure;
    return f->status == status && f->row != 77 && !strstr(f->column, "old column") && !strstr(f->file, "old file") &&
           !strstr(f->message, "old message") && (status == TIDE_OK) == !*f->message;
}

#define NOTHING ((tide_val){ 0 })
#define NO_ITEMS ((tide_list){ NULL, 3 })
#define LESS_THAN_NONE ((tide_list){ t->x.graph ? &t->x : NULL, -1 })
#define NINE_AXES ((tide_shape){ .ndim = 9, .dim = { 1, 1, 1, 1, 1, 1, 1, 1 } })
#define NO_AXES ((tide_shape){ .ndim = -1 })
#define HUGE_SHAPE ((tide_shape){ 3, { INT64_MAX, INT64_MAX, 4 } })
#define NO_TYPE ((tide_dtype)99)

/* A list of rows is a macro LIST(V, R); DECLARE makes the functions, TABLE the rows:
 *   V(function, number, alone, expression of `bad`)
 *   R(function, number, "what is wrong", expression: it was refused) */
#define VALUE_FUNCTION(f, n, lone, ...) \
    static tide_val value_##f##_##n(trial *t, tide_val bad) { \
        (void)t; \
        return __VA_ARGS__; \
    }
#define REFUSED_FUNCTION(f, n, what, ...) static bool refused_##f##_##n(trial *t) { (void)t; return __VA_ARGS__; }
#define VALUE_ROW(f, n, lone, ...) { #f, "operand " #n, lone, value_##f##_##n, NULL },
#define REFUSED_ROW(f, n, what, ...) { #f, what, false, NULL, refused_##f##_##n },
#define MISUSE_TABLE(name, LIST)                          \
    LIST(VALUE_FUNCTION, REFUSED_FUNCTION)                \
    static const row all_rows[] = { LIST(VALUE_ROW, REFUSED_ROW) }; \
    rows name(void) { return (rows){ all_rows, (int)(sizeof all_rows / sizeof *all_rows) }; }

#endif
