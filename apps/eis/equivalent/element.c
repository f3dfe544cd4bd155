#include "element.h"

#include <math.h>
#include <string.h>

#include "element_kernels.h"

#define R_OF(name) { name, "ohm", ROLE_RESISTANCE }
#define TIME(name) { name, "s", ROLE_TIME }
#define EXPONENT(name) { name, "", ROLE_EXPONENT }
#define NUMBER(name) { name, "", ROLE_NUMBER }
#define CPE_Q { "Q", "S s^n", ROLE_ADMITTANCE }

const element elements[] = {
    { "R", "R", "", "resistance", "R", 1, { R_OF("R") }, element_r },
    { "C", "C", "", "capacitance", "1/(s C)", 1, { { "C", "F", ROLE_CAPACITANCE } }, element_c },
    { "L", "L", "", "inductance", "s L", 1, { { "L", "H", ROLE_INDUCTANCE } }, element_l },
    { "CPE", "Q", "P", "constant phase element", "1/(Q s^n)", 2, { CPE_Q, EXPONENT("n") }, element_cpe },
    { "La", "La", "", "lossy inductance", "L s^n", 2, { { "L", "H s^(n-1)", ROLE_LA }, EXPONENT("n") }, element_la },
    { "W", "W", "", "Warburg, semi-infinite", "A (1 - j)/sqrt(w) = A sqrt(2)/sqrt(s)", 1,
      { { "A", "ohm s^-1/2", ROLE_WARBURG } }, element_w },
    { "Ws", "Ws", "", "Warburg, finite and transmissive (short)", "Z0 tanh(q)/q, q = sqrt(s tau)", 2,
      { R_OF("Z0"), TIME("tau") }, element_ws },
    { "Wo", "Wo", "", "Warburg, finite and reflective (open)", "Z0 coth(q)/q, q = sqrt(s tau)", 2,
      { R_OF("Z0"), TIME("tau") }, element_wo },
    { "G", "G", "Ga", "Gerischer", "R/sqrt(1 + s t)", 2, { R_OF("R"), TIME("t") }, element_g },
    { "Gs", "Gs", "", "Gerischer, finite", "R/(q tanh(phi q)), q = sqrt(1 + s t)", 3,
      { R_OF("R"), TIME("t"), NUMBER("phi") }, element_gs },
    { "Zarc", "Zarc", "ZARC", "resistance across a CPE (Cole-Cole)", "R/(1 + (s tau)^n)", 3,
      { R_OF("R"), TIME("tau"), EXPONENT("n") }, element_zarc },
    { "HN", "Ha", "", "Havriliak-Negami", "R/(1 + (s tau)^a)^b", 4,
      { R_OF("R"), TIME("tau"), EXPONENT("a"), EXPONENT("b") }, element_hn },
    { "K", "K", "", "one relaxation", "R/(1 + s tau)", 2, { R_OF("R"), TIME("tau") }, element_k },
    { "TLMQ", "Tlmq", "", "transmission line, CPE across", "sqrt(R zs) coth(sqrt(R/zs)), zs = 1/(Q s^n)", 3,
      { R_OF("R"), CPE_Q, EXPONENT("n") }, element_tlmq },
    { "TLM", "Tlm", "", "transmission line, membrane across (lateral space)",
      "sqrt(R zm) coth(sqrt(R/zm)), zm = Rm/(1 + s Rm Cm)", 3,
      { R_OF("R"), R_OF("Rm"), { "Cm", "F", ROLE_CAPACITANCE } }, element_tlm },
    { "T", "T", "", "transmission line (Macdonald)", "A coth(q)/q + B/(q sinh q), q = sqrt(a + s b)", 4,
      { R_OF("A"), R_OF("B"), NUMBER("a"), TIME("b") }, element_t },
};
const int element_count = sizeof elements / sizeof *elements;

double slot_high(slot_role role) { return role == ROLE_EXPONENT ? 1 : INFINITY; }

/* Length of the longest of the words of "a|b" that `text` begins with. */
static size_t longest(const char *text, const char *words) {
    size_t best = 0;
    while (*words) {
        size_t length = strcspn(words, "|");
        if (length > best && strncmp(text, words, length) == 0) best = length;
        words += length + (words[length] == '|');
    }
    return best;
}

const element *element_match(const char *text, size_t *length) {
    const element *found = NULL;
    *length              = 0;
    for (int i = 0; i < element_count; i++) {
        const char *const names[] = { elements[i].symbol, elements[i].cdc, elements[i].aliases };
        for (int k = 0; k < 3; k++) {
            size_t here = longest(text, names[k]);
            if (here > *length) *length = here, found = &elements[i];
        }
    }
    return found;
}
