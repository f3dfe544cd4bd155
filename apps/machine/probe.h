/* Asking a probe, and reading what it says. */
#ifndef MACHINE_PROBE_H
#define MACHINE_PROBE_H

#include "machine.h"

/* The answer, malloc'ed; NULL. The question is formatted. */
char *probe_ask(const machine_probe *p, const char *format, ...) TIDE_PRINTF(2, 3);
/* The first line of the answer, blanks around it gone; false if there is none or it is empty. */
bool  probe_line(const machine_probe *p, char *line, size_t size, const char *format, ...) TIDE_PRINTF(4, 5);
/* The whole number the answer begins with; 0 if there is none. */
int64_t probe_number(const machine_probe *p, const char *format, ...) TIDE_PRINTF(2, 3);

bool probe_has_word(const char *text, const char *word);  /* words are parted by blanks */

/* ---- parts of detection ---- */

void detect_linux(const machine_probe *p, machine *m);
void detect_macos(const machine_probe *p, machine *m);
void detect_cgroup(const machine_probe *p, machine *m);  /* cpu_limit, memory_limit_bytes, cgroup_version */
/* Sets apple, apple_generation and apple_tier if `text` names an Apple chip or a computer with one. */
void detect_apple_chip(const char *text, machine *m);
/* The instruction sets that these words, as in /proc/cpuinfo, amount to. */
unsigned detect_features(const char *words);

/* ---- what only some systems answer ---- */

char *probe_sysctl(const char *name);
char *probe_hwloc_caches(void);

#endif
