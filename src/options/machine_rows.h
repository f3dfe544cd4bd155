/* The rows that every command which computes has, for a struct S with fields of these names: one spelling, one range
 * and one help text. */
#ifndef TIDE_OPTIONS_MACHINE_ROWS_H
#define TIDE_OPTIONS_MACHINE_ROWS_H

#include <tidemill/options.h>

/* The names are tide_devices(), which differ from build to build: the metavar DEVICE stands for them (options.h). A
 * run may go on on another device, and says so (run_moved_told): its bits are that one's from there on. */
#define ROW_DEVICE_FOR(S, flags, help)                                                                                 \
    { "device", TIDE_OPTION_TEXT(S, device), "cpu", (flags) | TIDE_OPTION_MAY_DIFFER | TIDE_OPTION_RESOURCE,           \
      "Machine", "DEVICE", help, .suggested = "auto" }
#define ROW_DEVICE(S, flags)                                                                                           \
    ROW_DEVICE_FOR(S, flags, "where to compute, NAME or NAME:INDEX; cuda:0-1, cuda:0,2: training on several at once; " \
                             "auto: where this training's steps are fastest (answers: its run's for 64 at once or "    \
                             "more, else cpu); tidemill machine tells what is there, ref and check are slow, for "     \
                             "checking")
#define ROW_PRECISION(S, flags)                                                                                        \
    { "precision", TIDE_OPTION_CHOICE(S, precision, "f32|bf16|f16|auto"), NULL, flags, "Machine", NULL,                \
      "number format of large matrix products; auto: bf16 where the device has it; f16 trains with a loss scale" }
#define ROW_STRICT(S, flags)                                                                                           \
    { "strict", TIDE_OPTION_BOOL(S, strict), NULL, (flags) | TIDE_OPTION_MAY_DIFFER, "Machine", NULL,                  \
      "a precision that the device lacks is an error (else f32 and a warning)" }
#define ROW_THREADS(S, flags)                                                                                          \
    { "threads", TIDE_OPTION_INT(S, threads, 0, 4096), NULL, (flags) | TIDE_OPTION_MAY_DIFFER | TIDE_OPTION_RESOURCE,  \
      "Machine", "N",                                                                                                  \
      "threads to compute with; 0: the physical cores this process may use", .aliases = "n-workers|workers" }
#define ROW_CUT(S, flags)                                                                                              \
    { "cut", TIDE_OPTION_INT(S, cut, 0, 1024), NULL, flags, "Machine", "N",                                            \
      "tasks that a step is cut into along its samples, at least; 0: as many as threads where that leaves every bit "  \
      "as it is (oneDNN with AVX-512, own products), else 4" }
#define ROW_COMPILE(S, flags)                                                                                          \
    { "compile", TIDE_OPTION_BOOL(S, compile), "true", flags, "Machine", NULL,                                         \
      "fuse and schedule the step; without it training runs op by op, for debugging" }
#define ROW_COMPILE_MODE(S, flags)                                                                                     \
    { "compile-mode", TIDE_OPTION_CHOICE(S, compile_mode, "default|reduce-overhead|max-autotune"), NULL,               \
      (flags) | TIDE_OPTION_MAY_DIFFER, "Machine", NULL,                                                               \
      "max-autotune times candidates once, for seconds, and keeps its choices, on cpu; reduce-overhead is the same "   \
      "as default",                                                                                                    \
      .refused = "eager=`compile` no|aot-eager=`compile` no|inductor=default, or max-autotune to have choices timed" }
#define ROW_JOIN(S, flags)                                                                                             \
    { "join", TIDE_OPTION_BOOL(S, join), NULL,                                                                         \
      (flags) | TIDE_OPTION_PLACE | TIDE_OPTION_MAY_DIFFER | TIDE_OPTION_RESOURCE, "Machine", NULL,                    \
      "several processes, also of several machines, may work at this at once: start the same command again to help" }
#define ROW_AUTO_SIZE(S, flags, help)                                                                                  \
    { "auto-size", TIDE_OPTION_BOOL(S, auto_size), NULL, (flags) | TIDE_OPTION_MAY_DIFFER, "Machine", NULL, help }

#endif
