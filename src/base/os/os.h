#ifndef TIDE_OS_H
#define TIDE_OS_H
#include "../base.h"

void os_model(char *out, size_t size);  /* of the processor; "" if it is not known */
#ifdef __APPLE__
#define OS_MAXRSS_UNIT 1
#else
#define OS_MAXRSS_UNIT 1024
#endif
#endif
