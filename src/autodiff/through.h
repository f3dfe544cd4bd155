/* The derivative of one node. */
#ifndef TIDE_THROUGH_H
#define TIDE_THROUGH_H

#include "../ops/table.h"

static inline bool op_has_derivative(const ir_node *n) { return op_rows[n->op].vjp || op_rows[n->op].define; }

/* As op_vjp, for an op that has a derivative: its own, or that of its definition. False, and the graph says why, when
 * something fails. */
bool node_vjp(tide_val node, tide_val dy, tide_val *dx, arena *scratch);

#endif
