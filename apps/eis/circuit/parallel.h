/* A build without OpenMP is serial, and silent about it. */
#ifndef EIS_PARALLEL_H
#define EIS_PARALLEL_H

#ifdef _OPENMP
#define PARALLEL(words) _Pragma(#words)
#else
#define PARALLEL(words)
#endif

#endif
