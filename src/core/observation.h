// Observe mode: what would have happened to a request if reads were split, and the account of it.
//
// Everything goes to the primary; beside it stands what decide_route() said, and whether a replica
// would have been fresh enough at once. Figures are kept for each database and by the shape of the
// text, so that the report names the statements that stay and why.
//
// Pure. ObservedClient is one client's, ObservationBook one database's on one worker; the worker's
// thread only. A shape that is known costs no allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/request_plan.h"
#include "core/route.h"

namespace fairlead::core {

/// What mode = "split" would have done.
enum class Foreseen : uint8_t {
  kStays,      // To the primary, for the reason that stands beside it.
  kMoves,      // To a replica, at once.
  kWaits,      // No replica had replayed what it must see: up to freshness_wait, then the primary.
  kNoReplica,  // No replica was usable: to the primary.
  kFails,      // An error: the node or the position that was asked for cannot serve it.
};
inline constexpr size_t kForeseenCount = 5;
/// The word in SHOW OBSERVE_SHAPES.
std::string_view name_of(Foreseen foreseen);

/// What decide_route() said of a request.
struct WouldBe {
  Route route;
  bool until_write =
      false;  // It opens a transaction that would leave its replica at a write (B31).
};

/// One request, as its session knows it when it is sent to the primary.
struct ObservedRequest {
  const WouldBe& would;
  sql::Decision own;            // What the request is by itself.
  bool opens = false;           // It is a BEGIN, or the first of a transaction that servers see.
  bool controls = false;        // BEGIN, COMMIT, SAVEPOINT and their like, and nothing else.
  bool in_transaction = false;  // It comes later in one.
  bool stays_movable = false;   // A transaction that has only read could go on on its replica.
  bool pinned = false;
  std::string_view text = {};          // Empty: it runs a portal of an earlier request.
  const RequestPlan* reads = nullptr;  // As LeaseWish::reads.
};

/// What is counted of one request.
struct Observation {
  Foreseen foreseen = Foreseen::kStays;
  sql::Reason reason = sql::Reason::kRead;
  bool is_read = false;
  bool opens_transaction = false;
  bool ends_reading_only = false;  // The first of its transaction that is no read.

  bool operator==(const Observation&) const = default;
};

/// Whether the statement asks for something, and is not sent to change something: a proven read, or
/// a query that could not be proven to be one.
bool is_query(const sql::Decision& decision);

/// What one client's requests mean one after the other: those of a transaction share its fate.
class ObservedClient {
 public:
  /// Whether judge() needs to know if a replica would have been fresh enough.
  static bool needs_foresight(const ObservedRequest& request) {
    return request.would.route.target == Target::kReplica && !request.in_transaction &&
           !request.pinned;
  }

  /// `foreseen` counts only where needs_foresight().
  Observation judge(const ObservedRequest& request, Foreseen foreseen);

 private:
  void open(const ObservedRequest& request, Observation& seen);
  void go_on(const ObservedRequest& request, Observation& seen);

  bool open_ = false;
  bool only_reads_ = false;   // On the primary, and nothing has written yet.
  bool until_write_ = false;  // On a replica, up to the first that does not only read.
  Foreseen transaction_ = Foreseen::kStays;
};

struct ObservedTotals {
  uint64_t statements = 0;  // Requests: a Query message, or everything up to a Sync.
  uint64_t reads = 0;
  uint64_t statements_by[kForeseenCount] = {};
  uint64_t reads_by[kForeseenCount] = {};
  uint64_t transactions = 0;               // BEGIN ... COMMIT.
  uint64_t transactions_moving = 0;        // That would have begun on a replica.
  uint64_t transactions_only_reading = 0;  // On the primary, and no statement of theirs wrote.

  void add(const ObservedTotals& other);
  bool operator==(const ObservedTotals&) const = default;
};

/// Requests of one shape with one outcome.
struct ObservedShape {
  std::string shape;  // Without literals (F54), cut at kObservedShapeBytesMax.
  Foreseen foreseen = Foreseen::kStays;
  sql::Reason reason = sql::Reason::kRead;
  bool is_read = false;
  uint64_t count = 0;

  bool operator==(const ObservedShape&) const = default;
};

/// Per database and worker; what comes beyond is counted under kOtherShapes. An application has a
/// few hundred shapes.
inline constexpr size_t kObservedShapesMax = 500;
/// Enough to recognise a statement by.
inline constexpr size_t kObservedShapeBytesMax = 400;
/// How much of a text is looked at: what the shape cache remembers, too.
inline constexpr size_t kObservedTextBytesMax = 16 * 1024;
/// Per worker; names are the clients' choice where "*" is configured. Further ones share a book.
inline constexpr size_t kObservedDatabasesMax = 100;
inline constexpr std::string_view kOtherShapes = "(other shapes)";
inline constexpr std::string_view kOtherDatabases = "(other databases)";

class ObservationBook {
 public:
  explicit ObservationBook(Time since) : since_(since) {}

  void record(const Observation& observation, std::string_view shape);

  Time since() const { return since_; }
  const ObservedTotals& totals() const { return totals_; }
  /// In no order.
  std::vector<ObservedShape> shapes() const;

 private:
  ObservedShape& entry(const Observation& observation, std::string_view shape);

  Time since_;
  ObservedTotals totals_;
  // By a hash of the whole shape with its outcome. Two that collide would be counted as one, which
  // a report survives.
  std::unordered_map<uint64_t, ObservedShape> shapes_;
};

}  // namespace fairlead::core
