// The one place that includes libev.
#pragma once

#define EV_COMPAT3 0
#include <ev.h>
