/* What a program hands to a command: there at all, and each option within what its row of the table accepts. Parsed
 * options are; a struct that was filled by hand, or never, need not be. */
#ifndef EIS_ARGUMENTS_H
#define EIS_ARGUMENTS_H

#include <tidemill/eis.h>

tide_status options_good(const eis_options *o, tide_failure *failure);
/* Zeroes the result too. */
tide_status arguments_good(const eis_options *o, eis_result *result, tide_failure *failure);

#endif
