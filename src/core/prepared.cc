#include "core/prepared.h"

#include <algorithm>
#include <utility>

namespace fairlead::core {

Hash128 PreparedStatement::hash_of(HashKey key, PreparedKind kind, std::string_view query,
                                   std::string_view parameter_types) {
  SipHash hash(key);
  hash.add_u64(static_cast<uint64_t>(kind));
  hash.add_field(query);
  hash.add_field(parameter_types);
  return hash.finish();
}

PreparedStatement::PreparedStatement(HashKey key, PreparedKind kind, std::string_view query,
                                     std::string_view parameter_types)
    : kind_(kind),
      hash_(hash_of(key, kind, query, parameter_types)),
      query_(query),
      parameter_types_(parameter_types) {}

PreparedKey prepared_key(HashKey key, const PreparedStatement& statement, uint64_t parse_state) {
  SipHash hash(key);
  hash.add_u64(statement.hash().low);
  hash.add_u64(statement.hash().high);
  hash.add_u64(parse_state);
  return hash.finish();
}

ServerStatementName::ServerStatementName(PreparedKey key) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  char* out = std::copy(kPrefix.begin(), kPrefix.end(), text_);
  for (const uint64_t word : {key.high, key.low})
    for (int shift = 60; shift >= 0; shift -= 4) *out++ = kDigits[word >> shift & 0xf];
}

std::string prepare_sql(const PreparedStatement& statement, const ServerStatementName& name) {
  std::string sql = "PREPARE ";
  sql += name.view();
  sql += ' ';
  sql += statement.parameter_types();
  sql += " AS ";
  sql += statement.query();
  return sql;
}

PreparedPtr StatementRegistry::intern(PreparedKind kind, std::string_view query,
                                      std::string_view parameter_types) {
  const Hash128 hash = PreparedStatement::hash_of(key_, kind, query, parameter_types);
  if (const auto known = statements_.find(hash); known != statements_.end())
    if (PreparedPtr alive = known->second.lock()) return alive;

  sweep_if_due();
  auto made = std::make_shared<const PreparedStatement>(key_, kind, query, parameter_types);
  statements_.insert_or_assign(hash, made);
  return made;
}

// Each sweep is paid for by as many insertions as it visits entries.
void StatementRegistry::sweep_if_due() {
  if (statements_.size() < sweep_at_) return;
  std::erase_if(statements_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSweepMin, 2 * statements_.size());
}

}  // namespace fairlead::core
