/* An artefact at the end of a spectrum: points where Re Z < 0 are only the worst of it. */
#ifndef EIS_ENDS_H
#define EIS_ENDS_H

#include <tidemill/eis.h>

/* Where the marked points are the first rows, or the last, or both: marks those beside them too, at most ENDS_MOST at
 * an end, without which a Kramers-Kronig expansion leaves less. False: out of memory. */
enum { ENDS_MOST = 8 };
bool ends_extend(const eis_spectrum *s, bool *mark);

#endif
