/* What the MLX guide's web application exports: an .npz with
 *   parameters   (rows, 5)  Rsh, Ra, Ca, Rb, Cb: in this order, ohm and farad
 *   resnorms     (rows)     mean |e| against one ground truth, ohm
 *   frequencies  (points)   Hz
 * and with spectra and pickled metadata, which are not read. The circuit is the shunt's: the file does not say. */
#ifndef EIS_APP_NPZ_H
#define EIS_APP_NPZ_H

#include "ground_truth.h"

bool is_app_npz(const char *path);

/* Its ground truth. Where no row has the residual norm 0 (its id is then "row_N"), it is found from the residual norms
 * of many rows ("found"): a circuit with the ground truth's spectrum, one of the fibre that share it. Then up to 100
 * residual norms, spread over the file, are computed anew; TIDE_EDATA names the first that differs. */
tide_status app_npz_truth(const char *path, ground_truth *out, tide_failure *failure);

#endif
