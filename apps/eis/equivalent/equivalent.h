/* Equivalent circuits: a tree of series and parallel connections of elements, from a string and to one. */
#ifndef EIS_EQUIVALENT_H
#define EIS_EQUIVALENT_H

#include <tidemill/eis.h>

#include "element.h"

enum {
    PARTS_MOST      = 24,                     /* elements of a circuit */
    NODES_MOST      = 2 * PARTS_MOST,
    PARAMETERS_MOST = 40,
    DEPTH_MOST      = 16,                     /* connections inside connections */
    PART_NAME       = 24,
    PARAMETER_NAME  = PART_NAME + 8,
    PARAMETER_LIST  = 512
};

struct text;  /* base/base.h */

typedef enum node_kind { NODE_ELEMENT, NODE_SERIES, NODE_PARALLEL } node_kind;

/* Children stand before their parent, in their order. The last node is the root; its parent is -1. */
typedef struct circuit_node { node_kind kind; int parent, part; } circuit_node;

/* An element of the circuit: its symbol and what tells it from others, "CPE1", "Rsh". */
typedef struct circuit_part { const element *kind; char name[PART_NAME]; int first; /* parameter */ } circuit_part;

typedef struct circuit_parameter {
    int    part, slot;
    double value;      /* NaN: none was given */
    bool   fixed;      /* at `value` */
    double low, high;  /* one may be infinite; both have one sign */
    int    tie;        /* it is `factor` times that parameter; -1: it is itself */
    double factor;
} circuit_parameter;

typedef struct equivalent {
    circuit_node      node[NODES_MOST];
    circuit_part      part[PARTS_MOST];
    circuit_parameter parameter[PARAMETERS_MOST];
    int nodes, parts, parameters;
} equivalent;

/* ---- strings ---- */

/* A string in any of the grammars below, or the name of a circuit of the table. Values, f (fixed) and limits may stand
 * in braces behind an element: R1{R=20f}, CPE1{Q=1e-5/1e-7/1e-3,n=0.9}. TIDE_EINVAL with the column and what was
 * expected there. */
tide_status equivalent_parse(const char *text, equivalent *out, tide_failure *failure);

typedef enum circuit_grammar {
    GRAMMAR_DASH,     /* R0-p(R1,CPE1) */
    GRAMMAR_BRACKET,  /* R0-[R1,CPE1] */
    GRAMMAR_INFIX,    /* R0+(R1|CPE1) */
    GRAMMAR_CDC,      /* R(RQ): names are numbers in order of appearance */
    GRAMMAR_CDC_FULL  /* R{:0}(R{:1}Q{:1}) */
} circuit_grammar;
void equivalent_print(const equivalent *e, circuit_grammar grammar, struct text *out);

/* "R1", "CPE1_0", "CPE1_n": the parameter's name in messages and answers. */
void parameter_name(const equivalent *e, int parameter, char name[PARAMETER_NAME]);
/* -1: none. Takes names as parameter_name writes them, CPE1_Q beside CPE1_0, and aliases (Q1_n, P1n). */
int parameter_find(const equivalent *e, const char *name, size_t length);
/* All names, for messages. */
void parameter_list(const equivalent *e, char list[PARAMETER_LIST]);
/* A value: prefixes and the unit may follow the number in ohm and farad, in other units the unit alone. */
bool parameter_read(const equivalent *e, int parameter, const char *text, double *out);

/* Circuits by name. */
typedef struct named_circuit { const char *name, *text, *what; } named_circuit;
extern const named_circuit named_circuits[];
extern const int           named_circuit_count;

/* One more element in series with all of it, with default bounds. False: the circuit is too large. */
bool equivalent_append(equivalent *e, const element *kind, const char *name);
/* Elements of this kind in series with all the rest: how many, and one of them. */
int equivalent_in_series(const equivalent *e, const element *kind, int *part);

/* ---- parameters ---- */

/* "Rs=0,CPE1_n=1,R2=R1,R3=2*R1": fixed values, prefixes as everywhere, and ties. */
tide_status equivalent_fix(equivalent *e, const char *text, tide_failure *failure);
/* "Rs=0..1k,Rsh=1..1M": bounds. */
tide_status equivalent_range(equivalent *e, const char *text, tide_failure *failure);
/* "Rs=20,CPE1_n=0.9": start values. */
tide_status equivalent_start(equivalent *e, const char *text, tide_failure *failure);
/* "Ra,Rb": those that several spectra have in common. Fixed ones are, and tied ones with what they follow. */
tide_status equivalent_same(const equivalent *e, const char *text, bool shared[PARAMETERS_MOST], tide_failure *failure);

/* ---- values ---- */

/* Z at n frequencies, and, if `derivatives` is not NULL, p dZ/dp of parameter k at k * n. `p` holds all parameters'
 * values. Allocates nothing. */
void equivalent_evaluate(const equivalent *e, const double *p, int64_t n, const double *omega, const double *log_omega,
                         double complex *z, double complex *derivatives);
/* Of the parts of the circuit below these nodes, each alone, at c * n. */
void equivalent_nodes(const equivalent *e, const double *p, int64_t n, const double *omega, const double *log_omega,
                      const int *node, int count, double complex *z);

#endif
