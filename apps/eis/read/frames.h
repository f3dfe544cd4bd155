/* Instruments whose files are more than tables, or no tables: one function each, points into the reading. */
#ifndef EIS_FRAMES_H
#define EIS_FRAMES_H

#include "reading.h"

tide_status gamry_read(reading *r, const page *p);
tide_status comsol_read(reading *r, const page *p);
tide_status ivium_read(reading *r, const page *p);
tide_status dfr_read(reading *r, const page *p);
tide_status palmsens_read(reading *r, const page *p);

/* BioLogic's binary: by its first bytes. */
bool        mpr_is(const unsigned char *bytes, size_t size);
tide_status mpr_read(reading *r, const unsigned char *bytes, size_t size);

/* Text of any kind: by what stands in it, else as tables. */
tide_status page_points(reading *r, const page *p);

#endif
