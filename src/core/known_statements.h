// Which statements some server of a database and user has parsed without an error, since the last
// change of the catalog: a client that prepares one of them is answered at once, and the server
// that executes it first is given it then.
//
// That saves a round trip for each client that prepares what others have prepared, and it keeps a
// program with one thread and many connections (pgbench) alive, which waits for the answer to Parse
// while its own transactions hold all servers.
//
// Pure; one per tenant, on its worker's thread.
#pragma once

#include <unordered_set>

#include "core/prepared.h"

namespace fairlead::core {

class KnownStatements {
 public:
  /// An application has hundreds; one that makes its texts up anew each time gains nothing anyway.
  static constexpr size_t kMax = 10'000;

  explicit KnownStatements(HashKey key) : key_(key) {}

  bool has(const PreparedStatement& statement, uint64_t parse_state) const {
    return known_.contains(prepared_key(key_, statement, parse_state));
  }
  /// A server has parsed it. Beyond kMax all are forgotten, and learnt again.
  void add(PreparedKey key) {
    if (known_.size() == kMax) known_.clear();
    known_.insert(key);
  }
  /// The catalog has changed: what was valid may not be.
  void clear() { known_.clear(); }
  size_t size() const { return known_.size(); }

 private:
  HashKey key_;
  std::unordered_set<PreparedKey, Hash128Hasher> known_;
};

}  // namespace fairlead::core
