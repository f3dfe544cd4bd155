/* NCCL as far as it is called, in declarations of our own, as in cuda.h; 2.14 or later, whose communicators need not
 * block. Of what it is configured with, the part that 2.14 has. */
#ifndef TIDE_CUDA_NCCL_H
#define TIDE_CUDA_NCCL_H

#include "cuda.h"

typedef struct ncclComm *nccl_comm;
typedef struct nccl_id { char internal[128]; } nccl_id;
typedef struct nccl_config { size_t size; unsigned magic, version; int blocking; } nccl_config;

/* F(its name without nccl, its number) */
#define NCCL_CONSTANTS(F) F(Success, 0) F(InvalidUsage, 5) F(InProgress, 7) F(Float32, 7)
#define NCCL_MAGIC 0xcafebeefu  /* NCCL_API_MAGIC */
#define NCCL_VALUE(name, number) NCCL_##name = (number),
enum { NCCL_CONSTANTS(NCCL_VALUE) NCCL_OLDEST = 21400 /* 2.14.0, as both sides write it */ };

/* Names without nccl; all return ncclResult_t, 0 for success. */
#define NCCL_FUNCTIONS(F)                                                                                              \
    F(GetVersion, "", (int *))                                                                                         \
    F(GetUniqueId, "", (nccl_id *))                                                                                    \
    F(CommInitRankConfig, "", (nccl_comm *, int count, nccl_id, int rank, nccl_config *))                              \
    F(CommGetAsyncError, "", (nccl_comm, unsigned *))                                                                  \
    F(CommFinalize, "", (nccl_comm))                                                                                   \
    F(CommDestroy, "", (nccl_comm))                                                                                    \
    F(CommAbort, "", (nccl_comm))                                                                                      \
    F(GroupStart, "", (void))                                                                                          \
    F(GroupEnd, "", (void))                                                                                            \
    F(AllGather, "", (const void *from, void *to, size_t count, unsigned type, nccl_comm, cuda_stream))
/* Those that return words. */
#define NCCL_TEXTS(F)                                                                                                  \
    F(GetErrorString, "", (unsigned))                                                                                  \
    F(GetLastError, "", (nccl_comm))

#define NCCL_TEXT(name, version, takes) const char *(*name) takes;
typedef struct nccl { NCCL_FUNCTIONS(CUDA_MEMBER) NCCL_TEXTS(NCCL_TEXT) } nccl;

/* load.c, as nvrtc_here: a Python environment's (nvidia-nccl-cu12), a toolkit's or the system's. TIDEMILL_NCCL "none"
 * hides it. */
typedef struct nccl_found { nccl calls; char name[32]; } nccl_found;  /* "NCCL 2.27.3" */
const nccl_found *nccl_here(const char **missing);

#endif
