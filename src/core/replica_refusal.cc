#include "core/replica_refusal.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace fairlead::core {
namespace {

using sql::PinEvent;
using sql::QueryFacts;

struct Refusal {
  bool (*concerns)(const QueryFacts&);
  std::string_view what;
  std::string_view why;
};

constexpr std::string_view kHolds =
    "It would hold the client on the replica, where it could not write, beyond the transaction.";

constexpr std::array kRefusals{
    Refusal{[](const QueryFacts& facts) { return facts.takes_advisory_lock; },  // C15
            "take an advisory lock", "Locks of a replica exclude nobody on the primary."},
    Refusal{[](const QueryFacts& facts) { return facts.copy_to_file; },  // A19
            "COPY to a file or a program",
            "It would be done on the replica's machine instead of the primary's."},
    Refusal{[](const QueryFacts& facts) {  // G2
              return facts.reason == sql::Reason::kMaintenance && !facts.needs_no_transaction_block;
            },
            "maintain the server", "It would be done on the replica instead of the primary."},
    Refusal{[](const QueryFacts& facts) { return facts.pins.has(PinEvent::kHoldCursor); },  // C14
            "declare a cursor WITH HOLD", kHolds},
    Refusal{[](const QueryFacts& facts) { return facts.pins.has(PinEvent::kLoad); },  // C20
            "LOAD a library", kHolds},
    Refusal{[](const QueryFacts& facts) {  // C17
              return std::ranges::any_of(facts.prepared, [](const sql::PreparedCommand& command) {
                return command.kind == sql::PreparedCommand::Kind::kPrepare;
              });
            },
            "PREPARE a statement by the extended protocol, or beside other statements,", kHolds},
};

}  // namespace

std::optional<Error> replica_refusal(const QueryFacts& facts) {
  for (const Refusal& refusal : kRefusals) {
    if (!refusal.concerns(facts)) continue;
    return Error{
        ErrorCode::kReadOnlyTransaction,
        "cannot " + std::string(refusal.what) +
            " in a read-only transaction that reads from a replica",
        std::string(refusal.why),
        "Do it with the first statement of the transaction, or begin it without READ ONLY, "
        "or use the primary's port."};
  }
  return std::nullopt;
}

}  // namespace fairlead::core
