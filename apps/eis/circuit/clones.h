/* EIS_CLONES before a function: compiled once for each width of x86 vectors, chosen when the program starts. */
#ifndef EIS_CLONES_H
#define EIS_CLONES_H

#include <stdlib.h>

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define EIS_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EIS_CLONES
#endif

#endif
