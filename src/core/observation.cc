#include "core/observation.h"

#include <functional>
#include <utility>

#include "base/assert.h"

namespace fairlead::core {
namespace {

using sql::Reason;

uint64_t key_of(std::string_view shape, Foreseen foreseen, Reason reason, bool is_read) {
  const auto outcome = static_cast<uint64_t>(foreseen) << 16 | static_cast<uint64_t>(reason) << 8 |
                       static_cast<uint64_t>(is_read);
  return std::hash<std::string_view>{}(shape) ^ (outcome + 1) * 0x9E3779B97F4A7C15ULL;
}

}  // namespace

std::string_view name_of(Foreseen foreseen) {
  switch (foreseen) {
    case Foreseen::kStays:
      return "stays";
    case Foreseen::kMoves:
      return "moves";
    case Foreseen::kWaits:
      return "waits";
    case Foreseen::kNoReplica:
      return "no_replica";
    case Foreseen::kFails:
      return "fails";
  }
  unreachable("every Foreseen has a word");
}

bool is_query(const sql::Decision& decision) {
  if (decision.access == sql::Access::kRead) return decision.reason != Reason::kEmpty;
  switch (decision.reason) {
    case Reason::kRowLock:
    case Reason::kVolatileFunction:
    case Reason::kUnknownFunction:
    case Reason::kSessionFunction:
    case Reason::kNodeFunction:
    case Reason::kDynamicSqlFunction:
    case Reason::kAdvisoryLock:
    case Reason::kSystemCatalog:
    case Reason::kPrimaryRelation:
    case Reason::kUnknownRelation:
    case Reason::kNonstandardStrings:
    case Reason::kClientEncoding:
    case Reason::kCatalogLoading:
      return true;
    default:
      return false;
  }
}

Observation ObservedClient::judge(const ObservedRequest& request, Foreseen foreseen) {
  Observation seen{.foreseen = needs_foresight(request) ? foreseen : Foreseen::kStays,
                   .reason = request.pinned ? Reason::kPinned : request.would.route.reason,
                   .is_read = !request.controls && is_query(request.own)};
  if (!request.in_transaction) open_ = false;
  if (request.opens || (request.in_transaction && !open_)) open(request, seen);
  if (request.in_transaction) go_on(request, seen);
  const bool changes_nothing = request.controls || sql::session_decides(request.own.reason);
  if (open_ && only_reads_ && !seen.is_read && !changes_nothing) {
    only_reads_ = false;
    seen.ends_reading_only = true;
  }
  return seen;
}

void ObservedClient::open(const ObservedRequest& request, Observation& seen) {
  open_ = true;
  seen.opens_transaction = true;
  transaction_ = seen.foreseen;
  only_reads_ = transaction_ == Foreseen::kStays;
  until_write_ = !only_reads_ && request.would.until_write;
  if (request.in_transaction && only_reads_) {  // What stood beside its BEGIN may have written.
    only_reads_ = false;
    seen.ends_reading_only = true;
  }
}

void ObservedClient::go_on(const ObservedRequest& request, Observation& seen) {
  if (until_write_ && !request.stays_movable) {
    until_write_ = false;
    transaction_ = Foreseen::kStays;
    seen.foreseen = Foreseen::kStays;
    seen.reason = Reason::kUpgrade;
    return;
  }
  seen.foreseen = transaction_;
  seen.reason = transaction_ == Foreseen::kStays ? Reason::kInTransaction
                : until_write_                   ? Reason::kUntilWrite
                                                 : Reason::kTransactionReadOnly;
}

void ObservedTotals::add(const ObservedTotals& other) {
  statements += other.statements;
  reads += other.reads;
  for (size_t i = 0; i < kForeseenCount; ++i) {
    statements_by[i] += other.statements_by[i];
    reads_by[i] += other.reads_by[i];
  }
  transactions += other.transactions;
  transactions_moving += other.transactions_moving;
  transactions_only_reading += other.transactions_only_reading;
}

void ObservationBook::record(const Observation& observation, std::string_view shape) {
  const auto outcome = static_cast<size_t>(observation.foreseen);
  ++totals_.statements;
  ++totals_.statements_by[outcome];
  if (observation.is_read) {
    ++totals_.reads;
    ++totals_.reads_by[outcome];
  }
  if (observation.opens_transaction) {
    ++totals_.transactions;
    if (observation.foreseen == Foreseen::kMoves) ++totals_.transactions_moving;
    if (observation.foreseen == Foreseen::kStays) ++totals_.transactions_only_reading;
  }
  if (observation.ends_reading_only) --totals_.transactions_only_reading;
  ++entry(observation, shape).count;
}

ObservedShape& ObservationBook::entry(const Observation& observation, std::string_view shape) {
  const auto& [foreseen, reason, is_read, opens, ends] = observation;
  uint64_t key = key_of(shape, foreseen, reason, is_read);
  if (const auto found = shapes_.find(key); found != shapes_.end()) return found->second;
  if (shapes_.size() >= kObservedShapesMax) {
    shape = kOtherShapes;  // One for each outcome: as many as there are, at most, come on top.
    key = key_of(shape, foreseen, reason, is_read);
    if (const auto found = shapes_.find(key); found != shapes_.end()) return found->second;
  }
  return shapes_
      .emplace(key, ObservedShape{.shape = std::string(shape.substr(0, kObservedShapeBytesMax)),
                                  .foreseen = foreseen,
                                  .reason = reason,
                                  .is_read = is_read})
      .first->second;
}

std::vector<ObservedShape> ObservationBook::shapes() const {
  std::vector<ObservedShape> all;
  all.reserve(shapes_.size());
  for (const auto& [key, shape] : shapes_) all.push_back(shape);
  return all;
}

}  // namespace fairlead::core
