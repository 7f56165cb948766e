// SQL in tests: rows as texts, failures as test failures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/sql_connection.h"

namespace fairlead::test {

using Rows = std::vector<std::vector<std::string>>;

/// One connection. A query that fails is a test failure (ADD_FAILURE) with the server's message,
/// except through error(), which expects one.
class Sql {
 public:
  explicit Sql(const std::string& conninfo_or_url);
  explicit Sql(const cluster::Endpoint& endpoint) : Sql(endpoint.conninfo()) {}

  /// Whether connecting worked; it did not is a failure already.
  bool connected() const { return connection_.has_value(); }

  /// NULL reads as "NULL".
  Rows rows(const std::string& sql);
  /// The first column of the only row.
  std::string value(const std::string& sql);
  void run(const std::string& sql) { rows(sql); }
  /// The SQLSTATE that the statement fails with; it does not fail is a failure.
  std::string error(const std::string& sql);

  /// For Results instead of failures. Only when connected().
  cluster::SqlConnection& connection() { return *connection_; }

 private:
  Result<cluster::SqlConnection> connection_;
};

/// Connects, asks, disconnects.
Rows rows(const cluster::Endpoint& endpoint, const std::string& sql);
std::string value(const cluster::Endpoint& endpoint, const std::string& sql);

}  // namespace fairlead::test
