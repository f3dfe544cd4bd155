/* NVRTC's part of the make-believe CUDA: a cubin is a line that says for which device it is, and the text. */
#include <stdio.h>
#include <stdlib.h>

#include "fake_cuda_parts.h"

enum { INVALID_OPTION = 5, COMPILATION = 6, NOTHING_COMPILED = 7 };

static const char head[] = "a cubin of the fake's for sm_";

typedef struct program { fake_object o; text words, cubin, log; } program;

#define DECLARED_NVRTC(name, version, takes) FAKE_SYMBOL(nvrtc, name, version, takes)
NVRTC_FUNCTIONS(DECLARED_NVRTC)

const char *fake_text_of(const void *cubin, int *capability) {
    const char *at = cubin;
    if (strncmp(at, head, sizeof head - 1) || sscanf(at + sizeof head - 1, "%d\n", capability) != 1) return NULL;
    return strchr(at, '\n') + 1;
}

unsigned fake_nvrtcVersion(int *major, int *minor) {
    CALL("nvrtcVersion")
    *major = fake.compiler_major, *minor = 5;
    return 0;
}

unsigned fake_nvrtcCreateProgram(nvrtc_program *out, const char *words, const char *name, int n,
                                 const char *const *headers, const char *const *header_names) {
    CALL("nvrtcCreateProgram")
    if (!words || !name || n || headers || header_names) fake_stop("a program of more than its text");
    program *p = fake_new("a program", sizeof *p);
    text_add(&p->words, "%s", words);
    *out = (nvrtc_program)p;
    return 0;
}

unsigned fake_nvrtcDestroyProgram(nvrtc_program *handle) {
    FAKE_ENTER
    unsigned code = fake_fault("nvrtcDestroyProgram");
    program *p = fake_known(*handle, "a program");
    text_free(&p->words), text_free(&p->cubin), text_free(&p->log);
    fake_end(p);
    *handle = NULL;
    return code;
}

/* build.h's entries have numbers. */
static text with_number(const char *words) {
    static const char entry[] = "\nKERNEL(k,";
    text t = { 0 };
    const char *at = strstr(words, entry);
    if (!at || strstr(at + 1, entry)) fake_stop("a text with another number of kernels than one, k");
    text_add(&t, "%.*s\nKERNEL(k0,%s", (int)(at - words), words, at + sizeof entry - 1);
    return t;
}

static int architecture(int n, const char *const *options) {
    static const char asked[] = "--gpu-architecture=sm_";
    int  capability = 0;
    bool contracts = true;
    for (int i = 0; i < n; i++) {
        if (!strncmp(options[i], asked, sizeof asked - 1)) capability = atoi(options[i] + sizeof asked - 1);
        else if (!strcmp(options[i], "--fmad=false")) contracts = false;
        else fake_stop("the option %s", options[i]);
    }
    if (!capability || contracts) fake_stop("a compilation for no device, or one that contracts");
    return capability;
}

unsigned fake_nvrtcCompileProgram(nvrtc_program handle, int n, const char *const *options) {
    const built *b;
    tide_failure why = { 0 };
    FAKE_ENTER
    program *p = fake_known(handle, "a program");
    int capability = architecture(n, options);
    unsigned code = fake_fault("nvrtcCompileProgram");
    text words = with_number(p->words.data);
    fake.compiled++;
    if (code) snprintf(why.message, sizeof why.message, "it was told to");
    else if (build_text(GPU_CUDA, words.data, 1, &b, &why)) code = COMPILATION;
    if (code) text_add(&p->log, "\nkernel.cu(7): warning #177-D: of no interest\n\nkernel.cu(9): error: %s\n\n"
                                "1 error detected in the compilation.\n", why.message);
    else text_add(&p->cubin, "%s%d\n%s", head, capability, words.data);
    text_free(&words);
    return code;
}

static unsigned give(const text *t, char *to) {
    if (!t->length) return NOTHING_COMPILED;
    memcpy(to, t->data, t->length + 1);
    return 0;
}

unsigned fake_nvrtcGetCUBINSize(nvrtc_program handle, size_t *bytes) {
    CALL("nvrtcGetCUBINSize")
    const program *p = fake_known(handle, "a program");
    *bytes = p->cubin.length + 1;
    return p->cubin.length ? 0 : NOTHING_COMPILED;
}

unsigned fake_nvrtcGetCUBIN(nvrtc_program handle, char *to) {
    CALL("nvrtcGetCUBIN")
    return give(&((const program *)fake_known(handle, "a program"))->cubin, to);
}

unsigned fake_nvrtcGetProgramLogSize(nvrtc_program handle, size_t *bytes) {
    CALL("nvrtcGetProgramLogSize")
    *bytes = ((const program *)fake_known(handle, "a program"))->log.length + 1;
    return 0;
}

unsigned fake_nvrtcGetProgramLog(nvrtc_program handle, char *to) {
    CALL("nvrtcGetProgramLog")
    const program *p = fake_known(handle, "a program");
    *to = 0;
    return p->log.length ? give(&p->log, to) : 0;
}
