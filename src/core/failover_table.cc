#include "core/failover_table.h"

#include <array>

#include "base/assert.h"

namespace fairlead::core {
namespace {

constexpr std::array kLossTable{
    LossRow{LostWork::kNothingSent, "waits for a server, or nothing of it was sent yet",
            std::nullopt, true, "it waits for another server, at most `failover_hold`", ""},
    LossRow{LostWork::kRepeatableRead,
            "a read outside of a transaction; the client has seen nothing of it", std::nullopt,
            true, "it is executed again, once, by another node or a new connection", ""},
    LossRow{LostWork::kMovable, "a transaction on a replica that has only read (`until_write`)",
            std::nullopt, true, "it goes on on the primary", ""},
    LossRow{LostWork::kRead, "any other read, outside of a transaction",
            ErrorCode::kConnectionFailure, true,
            "the server was lost while it executed this statement",
            "It is safe to repeat the statement."},
    LossRow{LostWork::kSegment, "a pipeline whose Sync was not sent", ErrorCode::kConnectionFailure,
            true, "the server was lost while it executed this statement",
            "Nothing of the pipeline was committed: send it again from its beginning."},
    LossRow{LostWork::kTransaction, "a statement in a transaction, COMMIT not sent",
            ErrorCode::kConnectionFailure, true,
            "the server was lost while it executed this statement",
            "Nothing of the transaction was committed: roll it back, and begin it again."},
    LossRow{LostWork::kResting, "a transaction, between two statements",
            ErrorCode::kConnectionFailure, true, "the server of this transaction was lost",
            "Nothing of the transaction was committed: roll it back, and begin it again."},
    LossRow{LostWork::kWrite, "a write outside of a transaction", ErrorCode::kUnknownOutcome, true,
            "the server was lost while it executed a write, whose outcome is not known",
            "Look whether the change is there before you repeat it."},
    LossRow{LostWork::kCommit, "`COMMIT`", ErrorCode::kUnknownOutcome, true,
            "the server was lost while it committed, so the outcome is not known",
            "Look whether the change is there before you repeat it."},
    LossRow{LostWork::kState, "temporary tables, `LISTEN`, session locks: a pin, whatever runs",
            ErrorCode::kAdminShutdown, false, "the server that held this session's state was lost",
            "Connect again, and make that state anew."},
    LossRow{LostWork::kStateOfWrite, "a pin, with a write or `COMMIT` under way",
            ErrorCode::kUnknownOutcome, false,
            "the server that held this session's state was lost while it executed a write, whose "
            "outcome is not known",
            "Connect again, and look whether the change is there before you repeat it."},
    LossRow{LostWork::kHalfAnswer, "half of a row has gone to the client", std::nullopt, false,
            "the connection ends, because an error would be read as the row's other half",
            "Connect again; a write may have been carried out or not."},
};

constexpr bool is_in_order() {
  for (size_t i = 0; i < kLossTable.size(); ++i)
    if (static_cast<size_t>(kLossTable[i].work) != i) return false;
  return true;
}
static_assert(is_in_order() && kLossTable.size() == static_cast<size_t>(LostWork::kHalfAnswer) + 1);

}  // namespace

const LossRow& loss_row(LostWork work) { return kLossTable.at(static_cast<size_t>(work)); }

Error loss_error(LostWork work, std::string_view why) {
  const LossRow& row = loss_row(work);
  require(row.code.has_value(), "only what is an error has one");
  return {*row.code, std::string(row.message), std::string(why), std::string(row.hint)};
}

LostWork lost_work(const LostRequest& request, bool in_transaction) {
  if (request.commits) return LostWork::kCommit;
  if (request.ends_inside) return LostWork::kTransaction;
  const bool is_inside = in_transaction && !request.controls;
  if (request.may_write && !is_inside && request.is_whole) return LostWork::kWrite;
  if (in_transaction) return LostWork::kTransaction;
  return request.is_whole ? LostWork::kRead : LostWork::kSegment;
}

std::string loss_table_markdown() {
  std::string out =
      "| what was under way | the client gets | its connection | what to do |\n"
      "|---|---|---|---|\n";
  for (const LossRow& row : kLossTable) {
    out.append("| ").append(row.when).append(" | ");
    if (row.code) out.append("`").append(sqlstate(*row.code)).append("` ");
    out.append(row.message).append(" | ").append(row.keeps_client ? "stays" : "ends");
    out.append(" | ").append(row.hint.empty() ? "nothing" : row.hint).append(" |\n");
  }
  return out;
}

}  // namespace fairlead::core
