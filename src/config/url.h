// PostgreSQL connection URLs, as DATABASE_URL has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"

namespace fairlead::config {

/// postgres://user:password@host:port,host:port/database?sslmode=...&sslrootcert=...
/// What the URL does not say is nullopt.
struct ConnectionUrl {
  std::vector<NodeAddress> nodes;
  std::optional<std::string> user;
  std::optional<Secret> password;
  std::optional<std::string> database;
  std::optional<std::string> tls_mode;
  std::optional<std::string> tls_ca_file;

  /// The schemes are postgres and postgresql, with or without a driver as SQLAlchemy writes it
  /// ("postgresql+asyncpg"). User, password, database and parameters are percent-decoded. No
  /// message repeats the URL: it holds a password.
  static Result<ConnectionUrl> parse(std::string_view text);
};

}  // namespace fairlead::config
