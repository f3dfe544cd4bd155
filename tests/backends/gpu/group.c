/* A stack serves one thread after another as long as they end without a barrier. A thread that waits keeps its stack,
 * and the next thread begins on the next one: threads run in turns, each to its next barrier or to its end. */
#include "group.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_BYTES = 64 * 1024 };

/* ---- from one stack to another ------------------------------------------------------------------------------- */

/* Leaves this stack, whose place goes to *here, for one that was left at `there` or is new. What a call must preserve
 * is on the stack; the signal mask, which swapcontext asks the system for, stays. */
void fiber_switch(void **here, void *there) __asm__("fiber_switch");
static void threads_in_turn(void);

#if defined __x86_64__
__asm__(".text\n.globl fiber_switch\nfiber_switch:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");

/* Six registers, then where to return to; the stack is then as after a call. */
static void *new_fiber(char *stack) {
    void **top = (void **)(stack + STACK_BYTES) - 8;
    memset(top, 0, 8 * sizeof *top);
    top[6] = (void *)(uintptr_t)threads_in_turn;
    return top;
}
#elif defined __aarch64__
__asm__(".text\n.globl fiber_switch\nfiber_switch:\n"
        "sub sp, sp, #160\n"
        "stp x19, x20, [sp]\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\nstp x25, x26, [sp, #48]\n"
        "stp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
        "stp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\nstp d14, d15, [sp, #144]\n"
        "mov x9, sp\nstr x9, [x0]\nmov sp, x1\n"
        "ldp x19, x20, [sp]\nldp x21, x22, [sp, #16]\nldp x23, x24, [sp, #32]\nldp x25, x26, [sp, #48]\n"
        "ldp x27, x28, [sp, #64]\nldp x29, x30, [sp, #80]\n"
        "ldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\nldp d14, d15, [sp, #144]\n"
        "add sp, sp, #160\nret\n");

static void *new_fiber(char *stack) {
    void **top = (void **)(stack + STACK_BYTES) - 20;
    memset(top, 0, 20 * sizeof *top);
    top[11] = (void *)(uintptr_t)threads_in_turn; /* x30 */
    return top;
}
#else
#include <ucontext.h>

typedef struct place { ucontext_t context; } place;

void fiber_switch(void **here, void *there) {
    place left;
    *here = &left;
    swapcontext(&left.context, &((place *)there)->context);
}

/* The context lies at the top of its own stack. */
static void *new_fiber(char *stack) {
    place *p = (place *)(stack + STACK_BYTES - (sizeof *p + 63) / 64 * 64);
    getcontext(&p->context);
    p->context.uc_stack.ss_sp = stack;
    p->context.uc_stack.ss_size = (size_t)((char *)p - stack);
    p->context.uc_link = NULL;
    makecontext(&p->context, threads_in_turn, 0);
    return p;
}
#endif

/* ---- a group -------------------------------------------------------------------------------------------------- */

/* Those that wait at a barrier, and where. */
typedef struct waiting { int32_t count; int line; bool two_lines; } waiting;

static struct {
    const group_launch *launch;
    uint32_t group;
    int32_t  turn;      /* whose it is, of launch->threads: a place in the order, not the thread's number */
    int32_t  begun;     /* of them, in order */
    waiting  all, warp; /* of those that had their turn in this round; of the turn's warp, since it was together */
    void    *home, *left[GROUP_MOST_THREADS];
} now;
static char *stacks;

unsigned group_thread(void) {
    return (unsigned)(now.launch->backwards ? now.launch->threads - 1 - now.turn : now.turn);
}

static void run_thread(void) {
    const group_launch *l = now.launch;
    now.begun = now.turn + 1;
    l->entry(l->blocks, l->table, l->first, now.group, group_thread());
}

/* ---- turns ---- */

static void wait_at(waiting *w, int line) {
    if (w->count++ == 0) w->line = line;
    else if (w->line != line) w->two_lines = true;
}

/* Sets the turn: to the warp's first if the last has come to where all its lanes wait, to the group's first likewise.
 * False: all have ended, or some wait in vain. */
static bool set_turn(void) {
    const bool warp_ends = (now.turn + 1) % GROUP_WARP == 0 || now.turn + 1 == now.launch->threads;
    if (now.all.two_lines || now.warp.two_lines) return false;
    if (warp_ends && now.warp.count == GROUP_WARP) {
        now.turn -= GROUP_WARP - 1, now.warp.count = 0;
        return true;
    }
    if (warp_ends && now.warp.count) return false;
    if (++now.turn < now.launch->threads) return true;
    if (now.all.count != now.launch->threads) return false;
    now.turn = now.all.count = 0;
    return true;
}

static void next_turn(void **here) {
    if (!set_turn()) {
        fiber_switch(here, now.home);
        return;
    }
    void *there = now.turn == now.begun ? new_fiber(stacks + (size_t)now.turn * STACK_BYTES) : now.left[now.turn];
    if (here != &now.left[now.turn]) fiber_switch(here, there);
}

void group_sync(int line) {
    wait_at(&now.all, line);
    next_turn(&now.left[now.turn]);
}

void group_warp_sync(int line) {
    wait_at(&now.warp, line);
    next_turn(&now.left[now.turn]);
}

/* The newest thread, when it ends, leaves its stack to the next. */
static void threads_in_turn(void) {
    void *nobody;
    run_thread();
    while (now.turn + 1 == now.begun && now.begun < now.launch->threads && now.warp.count == 0) {
        now.turn++;
        run_thread();
    }
    next_turn(&nobody);
}

/* ---- a group ---- */

static bool ended_well(char *why, size_t size) {
    const bool warp = now.warp.count;
    const waiting *w = warp ? &now.warp : &now.all;
    const char *whose = warp ? "a warp of group" : "group", *others = warp ? "do not come" : "ended";
    if (w->two_lines)
        snprintf(why, size, "threads of %s %" PRIu32 " wait at the barrier in line %d, others at another", whose,
                 now.group, w->line);
    else if (w->count)
        snprintf(why, size, "%d of %d threads of %s %" PRIu32 " wait at the barrier in line %d, the others %s",
                 (int)w->count, warp ? GROUP_WARP : (int)now.launch->threads, whose, now.group, w->line, others);
    return !w->count;
}

static bool run_group(const group_launch *l, uint32_t group, char *why, size_t size) {
    if (l->local_bytes) memset(l->local, 0xFF, l->local_bytes);
    now.launch = l, now.group = group, now.turn = now.begun = 0, now.all = now.warp = (waiting){ 0 };
    fiber_switch(&now.home, new_fiber(stacks));
    return ended_well(why, size);
}

bool group_run(const group_launch *l, char *why, size_t size) {
    if (!stacks) stacks = aligned_alloc(64, (size_t)GROUP_MOST_THREADS * STACK_BYTES);
    if (!stacks) abort();
    for (int64_t i = 0; i < l->groups; i++)
        if (!run_group(l, (uint32_t)(l->backwards ? l->groups - 1 - i : i), why, size)) return false;
    return true;
}
