/* What was built before, by other programs of the tests too: objects in the folder that FIBERS_CACHE names, by a hash
 * of all that they follow from. */
#ifndef TEST_GPU_KEPT_H
#define TEST_GPU_KEPT_H

#include "base/base.h"

typedef struct kept { char object[256], draft[280]; } kept;

/* Where the object of this text, built in such a way, is kept, or will be. False: nothing is kept. */
bool kept_of(const text *whole, const char *how, kept *out);
/* A copy of it as the file `to`, since who loads an object sets what is in it: two parts of a program must not share
 * one. False: it is not there. */
bool kept_get(const kept *k, const char *to);
/* The file is kept; what nobody has asked for since yesterday goes. False: it could not be. */
bool kept_put(const kept *k, const char *from);

#endif
