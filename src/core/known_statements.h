// Which statements some server of a database and user has parsed without an error, since the last
// change of the catalog: a client that prepares one of them is answered at once, and the server
// that executes it first is given it then.
//
// That saves a round trip for each client that prepares what others have prepared, and it keeps a
// program with one thread and many connections (pgbench) alive, which waits for the answer to Parse
// while its own transactions hold all servers.
//
// And which statements a replica has refused, although their text and the functions that they call
// promised a read: what they touch writes, or no replica has it (A44). They go to the primary until
// the catalog changes.
//
// And whether any asks for currval() or lastval(), so that transactions are to be ready for it
// (C18).
//
// Pure; one per tenant, on its worker's thread.
#pragma once

#include <memory>
#include <unordered_set>

#include "core/prepared.h"
#include "sql/facts.h"

namespace fairlead::core {

class KnownStatements {
 public:
  /// An application has hundreds; one that makes its texts up anew each time gains nothing anyway.
  static constexpr size_t kMax = 10'000;
  /// Few are ever refused; texts that come once, and are not remembered by shape, may be many.
  static constexpr size_t kRefusedMax = 1'000;

  explicit KnownStatements(HashKey key) : key_(key) {}

  bool has(const PreparedStatement& statement, uint64_t parse_state) const {
    return known_.contains(prepared_key(key_, statement, parse_state));
  }
  /// A server has parsed it. Beyond kMax all are forgotten, and learnt again.
  void add(PreparedKey key) {
    if (known_.size() == kMax) known_.clear();
    known_.insert(key);
  }
  /// A server does not parse it any more.
  void remove(PreparedKey key) { known_.erase(key); }
  /// A replica has refused a statement with these facts. Beyond kRefusedMax all are forgotten.
  void add_refused(std::shared_ptr<const sql::QueryFacts> facts) {
    if (refused_.size() == kRefusedMax) refused_.clear();
    refused_.insert(std::move(facts));
  }
  bool was_refused(const std::shared_ptr<const sql::QueryFacts>& facts) const {
    return !refused_.empty() && refused_.contains(facts);
  }
  /// The catalog has changed: what was valid may not be, and what was refused may be answered.
  void clear() {
    known_.clear();
    refused_.clear();
  }
  size_t size() const { return known_.size(); }

  /// Somebody has asked for the number that nextval() has given before; for good.
  void expect_sequence_reads() { expects_sequence_reads_ = true; }
  bool expects_sequence_reads() const { return expects_sequence_reads_; }

 private:
  HashKey key_;
  std::unordered_set<PreparedKey, Hash128Hasher> known_;
  /// By identity: statements of one shape share their facts (sql/shape_cache.h).
  std::unordered_set<std::shared_ptr<const sql::QueryFacts>> refused_;
  bool expects_sequence_reads_ = false;
};

}  // namespace fairlead::core
