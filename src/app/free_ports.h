// Whether the addresses of the configuration can be listened on, asked before the proxy does.
#pragma once

#include "base/error.h"
#include "config/config.h"

namespace fairlead::app {

/// An error for the first port that cannot be had, with its cause.
///
/// Needed because workers share their ports (SO_REUSEPORT): the system would give a second proxy of
/// the same user the same ports, and deal new clients out to both.
Result<void> check_ports_are_free(const config::Listen& listen);

}  // namespace fairlead::app
