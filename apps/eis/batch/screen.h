/* The columns of a screening. */
#ifndef EIS_BATCH_SCREEN_H
#define EIS_BATCH_SCREEN_H

#include "eis/equivalent/element.h"
#include "eis/predictor/arcs_features.h"

/* What a quantity is: whether an area has a part in it. */
slot_role screen_role(int quantity);

#endif
