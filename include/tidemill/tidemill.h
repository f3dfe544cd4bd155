/* Everything of the engine: include this. The applications have their own headers (forecast.h). */
#ifndef TIDEMILL_H
#define TIDEMILL_H
#include "core.h"
#include "communicator.h"
#include "frame.h"
#include "io.h"
#include "nn.h"
#include "ops.h"
#include "optim.h"
#endif
