/* What the files that print a map kernel share: the text so far, and the names in it. r3 is register 3, q3 a pointer to
 * the row at hand of operand 3; c and u are the loop's column and the vector in its group. */
#ifndef TIDE_PRINTER_H
#define TIDE_PRINTER_H

#include <stdio.h>

#include "spelling.h"
#include "study.h"

typedef struct printer {
    text out;
    const study    *s;
    const spelling *words;
} printer;

/* Which vectors a loop's body is printed for. */
typedef enum reach {
    GROUP,  /* number `u` of four whole ones at `c` */
    WHOLE,  /* one at `at` */
    PART    /* the first `n` lanes of one */
} reach;

typedef struct name { char text[32]; } name;
static inline name name_of(char prefix, int number) {
    name n;
    snprintf(n.text, sizeof n.text, "%c%d", prefix, number);
    return n;
}

static inline bool is_half(int type) { return type == TIDE_F16 || type == TIDE_BF16; }
static inline int  register_type(int type) { return is_half(type) ? TIDE_F32 : type; }
static inline const flat_operand *operand_of(const printer *p, const flat_instr *in) {
    return &p->s->kernel->operands[in->operand];
}

/* print_instr.c: one instruction and the memory it touches. */
const char *position(reach r);  /* where in a row the loop's body stands */
void print_bases(printer *p);  /* addresses of the task's first rows */
void print_row_pointers(printer *p);  /* those of the row at hand */
void print_store(printer *p, const flat_instr *in, reach r);
void print_definition(printer *p, int32_t i, reach r);  /* `r3 = ...;`, or its vector of a group */

#endif
