// Whether the ports of the configuration are free, asked before the proxy takes them.
#pragma once

#include "base/error.h"
#include "config/config.h"

namespace fairlead::app {

/// An error for the first port that somebody listens on.
///
/// Needed because workers share their ports (SO_REUSEPORT): the system would give a second proxy of
/// the same user the same ports, and deal new clients out to both. What else is wrong with the
/// address, the proxy itself will say.
Result<void> check_ports_are_free(const config::Listen& listen);

}  // namespace fairlead::app
