#include "core/pin_cleanup.h"

#include <array>

#include "base/assert.h"

namespace fairlead::core {
namespace {

using namespace std::string_view_literals;

constexpr std::array kRollbackTags{"ROLLBACK"sv};
constexpr std::array kDiscardTags{"DISCARD ALL"sv};
constexpr std::array kSettingsTags{"RESET"sv, "RESET"sv, "RESET"sv, "DISCARD SEQUENCES"sv};

constexpr CleanupStep kRollback{"ROLLBACK"sv, kRollbackTags};
/// A Query of its own: it cannot run in a transaction block, not even an implicit one.
constexpr CleanupStep kDiscardAll{"DISCARD ALL"sv, kDiscardTags};
constexpr CleanupStep kSettings{
    "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;DISCARD SEQUENCES"sv, kSettingsTags};

constexpr std::array kRollbackOnly{kRollback};
constexpr std::array kRollbackAndSettings{kRollback, kSettings};
constexpr std::array kRollbackAndDiscard{kRollback, kDiscardAll};

}  // namespace

CleanupPlan plan_cleanup(ServerSituation situation, CleanupDepth depth) {
  if (situation == ServerSituation::kBusy) return {.close = true, .steps = {}};
  std::span<const CleanupStep> steps;
  switch (depth) {
    case CleanupDepth::kNone:
      steps = kRollbackOnly;
      break;
    case CleanupDepth::kSettings:
      steps = kRollbackAndSettings;
      break;
    case CleanupDepth::kEverything:
      steps = kRollbackAndDiscard;
      break;
  }
  if (situation == ServerSituation::kIdle) steps = steps.subspan(1);
  return {.close = false, .steps = steps};
}

CleanupPlan plan_end_of_client(ServerSituation situation, const PinState& pins) {
  // A library stays loaded; a walsender is no session that others could use.
  if (pins.reasons().has(PinReason::kLibrary) || pins.reasons().has(PinReason::kReplication))
    return {.close = true, .steps = {}};
  const bool clean = pins.reasons().empty() && pins.suspects().empty() && !pins.dirty();
  return plan_cleanup(situation, clean ? CleanupDepth::kNone : CleanupDepth::kEverything);
}

CleanupFsm::CleanupFsm(CleanupPlan plan)
    : plan_(plan),
      next_(plan.close           ? Next::kClose
            : plan.steps.empty() ? Next::kDone
                                 : Next::kSend) {}

std::string_view CleanupFsm::sql() const {
  require(next_ == Next::kSend, "a cleanup has a step to send");
  return plan_.steps[step_].sql;
}

CleanupFsm::Next CleanupFsm::on_sent() {
  require(next_ == Next::kSend, "a cleanup has a step to send");
  tag_ = 0;
  return next_ = Next::kWait;
}

CleanupFsm::Next CleanupFsm::on_command_complete(std::string_view tag) {
  const bool expected = next_ == Next::kWait && tag_ < plan_.steps[step_].tags.size() &&
                        plan_.steps[step_].tags[tag_] == tag;
  if (!expected) return on_unexpected();
  ++tag_;
  return next_;
}

CleanupFsm::Next CleanupFsm::on_ready(char status) {
  const bool expected =
      next_ == Next::kWait && tag_ == plan_.steps[step_].tags.size() && status == 'I';
  if (!expected) return on_unexpected();
  return next_ = ++step_ < plan_.steps.size() ? Next::kSend : Next::kDone;
}

CleanupFsm::Next CleanupFsm::on_unexpected() { return next_ = Next::kClose; }

}  // namespace fairlead::core
