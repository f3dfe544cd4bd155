#ifndef TIDE_OS_H
#define TIDE_OS_H
#include "../base.h"

extern const int os_lock_command;       /* of fcntl, that asks for a lock on a part of a file and does not wait */
void os_model(char *out, size_t size);  /* of the processor; "" if it is not known */
#endif
