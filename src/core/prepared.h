// A prepared statement as content: what was prepared, not under which name or where.
//
// Statements are immutable and shared: ten thousand clients that prepare the same fifty texts hold
// fifty statements per worker (StatementRegistry). Which client name means which statement is
// prepared_client.h; which server has which statement is prepared_server.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/pool_worker.h"
#include "core/prepared_hash.h"

namespace fairlead::core {

/// Protocol-level and SQL-level statements share one namespace in PostgreSQL, and EXECUTE works on
/// both; they differ in how they are made again on another server.
enum class PreparedKind : uint8_t {
  kProtocol,  // Parse.
  kSql,       // PREPARE name (types) AS query.
};

class PreparedStatement {
 public:
  /// `parameter_types`: kProtocol: the object ids as Parse carries them, 4 bytes each. kSql: the
  /// text of the list with its parentheses, or empty.
  PreparedStatement(HashKey key, PreparedKind kind, std::string_view query,
                    std::string_view parameter_types);

  /// What hash() of such a statement is.
  static Hash128 hash_of(HashKey key, PreparedKind kind, std::string_view query,
                         std::string_view parameter_types);

  PreparedKind kind() const { return kind_; }
  const std::string& query() const { return query_; }  // kSql: the text after AS.
  const std::string& parameter_types() const { return parameter_types_; }
  /// Of all of the above.
  Hash128 hash() const { return hash_; }
  size_t bytes() const { return query_.size() + parameter_types_.size(); }

 private:
  PreparedKind kind_;
  Hash128 hash_;
  std::string query_;
  std::string parameter_types_;
};

using PreparedPtr = std::shared_ptr<const PreparedStatement>;

/// A statement as one parse state reads it (C10, parse_state_hash() in variables.h): what a server
/// has or has not.
using PreparedKey = Hash128;
PreparedKey prepared_key(HashKey key, const PreparedStatement& statement, uint64_t parse_state);

/// "fl_" and 32 hexadecimal digits: the name of a PreparedKey on every server. A plain array,
/// because it is made for each Bind.
class ServerStatementName {
 public:
  static constexpr std::string_view kPrefix = "fl_";

  explicit ServerStatementName(PreparedKey key);
  std::string_view view() const { return {text_, sizeof text_}; }

 private:
  char text_[3 + 32];
};

/// No statement has this name, so a Bind to it fails, and fails the segment with it.
inline constexpr std::string_view kMissingStatement = "fl_refused";

/// The SQL that makes a kSql statement on a server: PREPARE name (types) AS query.
std::string prepare_sql(const PreparedStatement& statement, const ServerStatementName& name);

/// The statements that any client of one worker has, each once. Holds none of them alive.
class StatementRegistry {
 public:
  /// `worker` tells the unique numbers of one worker from another's: servers move between them.
  explicit StatementRegistry(HashKey key, WorkerId worker = {})
      : key_(key), last_unique_(uint64_t{static_cast<uint16_t>(worker)} << 48 | 1ull << 63) {}

  /// Does not allocate when some client has the same statement.
  PreparedPtr intern(PreparedKind kind, std::string_view query, std::string_view parameter_types);

  /// The name of `statement` on every server that has it as `parse_state` reads it.
  ServerStatementName server_name(const PreparedStatement& statement, uint64_t parse_state) const {
    return ServerStatementName(prepared_key(key_, statement, parse_state));
  }

  /// A parse state (ServerStatements) that is nobody else's: nothing is shared under it.
  uint64_t unique_parse_state() { return ++last_unique_; }

  /// Entries, of which some may be dead: at most twice the living ones of the last sweep, or 64.
  size_t size() const { return statements_.size(); }

 private:
  static constexpr size_t kSweepMin = 64;
  void sweep_if_due();

  HashKey key_;
  std::unordered_map<Hash128, std::weak_ptr<const PreparedStatement>, Hash128Hasher> statements_;
  size_t sweep_at_ = kSweepMin;
  uint64_t last_unique_;
};

}  // namespace fairlead::core
