#ifndef TIDE_OS_H
#define TIDE_OS_H
#include "../base.h"

void os_model(char *out, size_t size);  /* of the processor; "" if it is not known */
#endif
