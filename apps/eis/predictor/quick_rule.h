/* The numbers of a quick fit, whoever computes it. */
#ifndef EIS_QUICK_RULE_H
#define EIS_QUICK_RULE_H

enum { QUICK_FIRST_STEPS = 4, QUICK_LAST_STEPS = 20 };  /* of each start; of the best */

/* The middle of the ranges in the logarithm, how far from it a fit goes, and what the wide prior weighs. */
#define QUICK_MIDDLE_R  5.7565
#define QUICK_MIDDLE_C  (-7.2543)
#define QUICK_FURTHEST  40.0
#define QUICK_WEIGHT    (1.0 / 36)

#define QUICK_DAMPING     1e-2  /* to begin with */
#define QUICK_LEAST_DAMPING 1e-9
#define QUICK_BEND_MOST   0.75  /* of the step */
#define QUICK_LONGEST     3.0   /* step */
#define QUICK_GAIN_LEAST  1e-4  /* of the objective; two bold steps that gain less end it, or timid ones */
#define QUICK_BOLD        1e-3  /* damping */
#define QUICK_TIMID       1e6

/* Starts: how many steps of the scan two relaxations are apart at least, and Gauss' and Newton's steps of one alone. */
enum { QUICK_APART = 5, QUICK_SINGLE_STEPS = 5 };

#endif
