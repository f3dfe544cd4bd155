/* How a training on several ranks begins: all with the options of rank 0, the same program and the same data. */
#ifndef TIDE_TRAIN_RANKS_H
#define TIDE_TRAIN_RANKS_H

#include "step.h"

/* `options`, a struct without pointers, becomes rank 0's. Fails where another version of the program runs on a rank. */
tide_status train_ranks_begin(ranks *r, void *options, size_t bytes, tide_failure *failure);
/* TIDE_EINVAL where `text` (a check sum, a device) is another than rank 0's. `what`: "the data" ... of the message. */
tide_status train_ranks_same(ranks *r, const char *what, const char *text, tide_failure *failure);
/* The kind of device: of cuda:1 cuda. */
tide_status train_ranks_same_kind(ranks *r, const char *device, tide_failure *failure);
/* Of ranks that are threads each has a device of its own, whatever rank 0's options say. */
void        train_ranks_own_device(const ranks *r, char *device, size_t size);
/* TIDE_EINVAL: the choices of max-autotune go by clocks, which differ from rank to rank. */
tide_status train_ranks_mode(const ranks *r, tide_program_mode mode, tide_failure *failure);
/* A sentence on who trains; false: one process alone. */
bool        train_ranks_told(const train_step *s, char *line, size_t size);
/* The parts of a batch where `asked` are: those, if they are equal shares of the ranks; as many as ranks, if they are
 * left open (0, 1) or come from a run that was begun on another number of ranks, whose bits cannot go on. */
int64_t     train_ranks_parts(const ranks *r, int64_t asked, bool open);

#endif
