// PostgreSQL's programs on this machine.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace fairlead::cluster {

struct PostgresPrograms {
  std::string bin_dir;
  uint32_t major = 0;  // 15
};

/// The oldest version that is tried, with the proxy and here.
inline constexpr uint32_t kPostgresMajorMin = 13;

/// `wanted` empty: the newest under /usr/lib/postgresql/*/bin, else the one that pg_config names,
/// else the one in PATH. All of initdb, postgres, pg_ctl and pg_basebackup must be there.
Result<PostgresPrograms> find_postgres(const std::string& wanted);

/// "postgres (PostgreSQL) 15.20 (Debian …)" is 15; 0 when it is not a version. Pure.
uint32_t major_of(std::string_view version_line);

}  // namespace fairlead::cluster
