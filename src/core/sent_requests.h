// The requests of one client that its server has not answered completely, in order.
//
// A ring whose elements are used again, so that a request allocates nothing in the steady state.
// Pure; one per client.
#pragma once

#include <string>
#include <vector>

#include "core/request_plan.h"
#include "core/write_moments.h"

namespace fairlead::core {

/// What has to be done when the answer comes; until its ReadyForQuery nothing of it counts (B8).
struct SentRequest {
  std::vector<Execution> executions;  // Empty when none of them changes the session.
  size_t completed = 0;               // Executions that have completed.
  size_t completed_parts = 0;         // Statements of the next one that have.
  bool may_write = false;
  WrittenTables written;     // What, then.
  bool commits = false;      // As in RequestPlan (E20).
  bool controls = false;     // Something that may begin or end a transaction is part of it.
  bool ends_inside = false;  // Of a transaction that it has begun.
  bool failed = false;       // An ErrorResponse was part of the answer.
  CatalogChange catalog_change = CatalogChange::kNone;
  bool prepares_unseen = false;     // SQL PREPARE, EXECUTE or DEALLOCATE, as it stood.
  bool changes_statements = false;  // The client's prepared statements wait for its answer.
  bool alone = false;               // Nothing may be sent behind it before it is answered.
  bool isolated = false;     // A Sync of ours ends it: the client waits for no ReadyForQuery.
  std::string refusal = {};  // Goes out instead of the server's error (kReplacesError).

  void clear();
  /// The next execution has completed. What it did to the session is kept until ReadyForQuery; what
  /// did nothing to it is forgotten, because a segment may go on without a Sync for ever (F23).
  void on_completed();
  /// What the completed ones did counts, and they are gone.
  void forget_completed();
  /// The server skips `next` together with this one, and gives one answer for both (F24).
  void absorb(SentRequest& next);
};

class SentRequests {
 public:
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }

  /// A new one at the end, cleared.
  SentRequest& push();
  SentRequest& front() { return at(0); }
  const SentRequest& front() const { return const_cast<SentRequests*>(this)->at(0); }
  SentRequest& back() { return at(count_ - 1); }
  const SentRequest& back() const { return const_cast<SentRequests*>(this)->at(count_ - 1); }
  void pop();
  /// The first two become one. There must be two.
  void merge_front();
  void clear() { count_ = 0; }

  /// `visit(request)` for each, in order.
  template <class Visit>
  void for_each(Visit visit) {
    for (size_t i = 0; i < count_; ++i) visit(at(i));
  }

 private:
  SentRequest& at(size_t index) { return slots_[(first_ + index) % slots_.size()]; }

  std::vector<SentRequest> slots_;
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace fairlead::core
