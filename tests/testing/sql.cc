// SQL through libpq, for tests.
#include "testing/sql.h"

#include <gtest/gtest.h>

namespace fairlead::test {

Sql::Sql(const std::string& conninfo_or_url)
    : connection_(cluster::SqlConnection::open(conninfo_or_url)) {
  if (!connection_) ADD_FAILURE() << describe(connection_.error());
}

Rows Sql::rows(const std::string& sql) {
  if (!connection_) return {};
  const auto answer = connection_->query(sql);
  if (!answer) {
    ADD_FAILURE() << sql << ": " << describe(answer.error());
    return {};
  }
  Rows out;
  for (const auto& row : answer->rows) {
    auto& cells = out.emplace_back();
    for (const auto& cell : row) cells.push_back(cell.value_or("NULL"));
  }
  return out;
}

std::string Sql::value(const std::string& sql) {
  const Rows answer = rows(sql);
  if (answer.size() == 1 && !answer[0].empty()) return answer[0][0];
  if (connection_) ADD_FAILURE() << sql << ": expected one row, got " << answer.size();
  return {};
}

std::string Sql::error(const std::string& sql) {
  if (!connection_) return {};
  if (connection_->query(sql)) ADD_FAILURE() << sql << ": should have failed";
  return connection_->sqlstate();
}

Rows rows(const cluster::Endpoint& endpoint, const std::string& sql) {
  return Sql(endpoint).rows(sql);
}

std::string value(const cluster::Endpoint& endpoint, const std::string& sql) {
  return Sql(endpoint).value(sql);
}

}  // namespace fairlead::test
