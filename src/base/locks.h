/* Locks on single bytes of a file, among processes of any machine that has the file's disk. */
#ifndef TIDE_LOCKS_H
#define TIDE_LOCKS_H

#include <stdint.h>

typedef enum os_lock { OS_LOCK_NONE, OS_LOCK_SHARED, OS_LOCK_ALONE } os_lock;

/* On byte `at` of an open file, there yet or not. Several may have it shared, or one alone; asking again changes what
 * one has. The system takes it away when the descriptor is closed or its process dies. Where that can be had, whoever
 * opens the file again is another; elsewhere the process is one, and closing any of its descriptors of the file drops
 * all. Does not wait: 0, or errno: EAGAIN while another has it, ENOLCK where the disk has none. */
int os_lock_byte(int fd, int64_t at, os_lock how);

#endif
