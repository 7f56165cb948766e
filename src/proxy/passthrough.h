// Replication connections: one client, one server of its own on the primary, every byte passed on
// as it is (F5, C21).
#pragma once

#include "proxy/client_login.h"
#include "proxy/tenant.h"

namespace fairlead::proxy {

/// Serves the client until one of both ends. Never pooled, never looked into.
net::Task<void> pass_through(net::Loop& loop, net::Stream& client, Tenant& tenant,
                             ClientIdentity identity);

}  // namespace fairlead::proxy
