#include "equivalent.h"

#define MEMBRANES "Rs-p(Rsh,p(Ra,Ca)-p(Rb,Cb))"
#define CPE_MEMBRANES "Rs-p(Rsh,p(Ra,CPEa)-p(Rb,CPEb))"
#define LATERAL "Rs-p(Rsh,p(Ra,Ca)-TLMb)"
#define ELECTRODE "-CPEel"

const named_circuit named_circuits[] = {
    { "epithelial", MEMBRANES, "an epithelium: shunt across two membranes, solution in series" },
    { "epithelial-electrode", MEMBRANES ELECTRODE, "the same, with a CPE of the electrodes" },
    { "epithelial-cpe", CPE_MEMBRANES, "an epithelium whose membranes are constant phase elements" },
    { "epithelial-cpe-electrode", CPE_MEMBRANES ELECTRODE, "the same, with a CPE of the electrodes" },
    { "epithelial-lateral", LATERAL, "an epithelium whose basolateral membrane lines the lateral space" },
    { "epithelial-lateral-electrode", LATERAL ELECTRODE, "the same, with a CPE of the electrodes" },
    { "membranes", "Rs-p(Ra,Ca)-p(Rb,Cb)", "two membranes without a shunt: what one spectrum determines" },
    { "arcs", "L0-Rs-p(R1,CPE1)-p(R2,CPE2)-CPEel",
      "what one spectrum of an epithelium of CPEs determines, with its leads and electrodes (recipe cell)" },
    { "barrier", "Rmed-p(Rter,Ccl)-CPEel", "one barrier between electrodes: medium, TER, cell layer" },
    { "electrode", "Rmed-CPEel", "no cells: medium and electrodes" },
    { "randles", "Rs-p(Rct-W1,Cdl)", "charge transfer and diffusion across a double layer" },
    { "randles-cpe", "Rs-p(Rct-W1,CPEdl)", "the same, with a CPE" },
    { "randles-finite", "Rs-p(Rct-Wo1,Cdl)", "diffusion to a wall that reflects" },
    { "coating", "Rs-p(Rpore-p(Rct,CPEdl),CPEcoat)", "a coated metal with pores" },
    { "battery", "L0-Rs-Zarc1-Zarc2-W1", "leads, electrolyte, two interfaces, diffusion" },
};
const int named_circuit_count = sizeof named_circuits / sizeof *named_circuits;
