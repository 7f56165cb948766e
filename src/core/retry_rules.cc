#include "core/retry_rules.h"

#include <algorithm>
#include <array>

#include "core/prepared.h"

namespace fairlead::core {
namespace {

struct Rule {
  std::string_view sqlstate;
  std::string_view routine;  // Empty: any. Matched instead of the message, which is translated.
  RetryAdvice advice;
  std::string_view why;
  bool lasts = false;  // It is the statement's own, whatever the replica replays.
};

constexpr std::array kRules{
    Rule{"25006", "", RetryAdvice::kPrimary,
         "a write, or what a standby refuses, reached a replica", true},
    Rule{"0A000", "get_relation_info", RetryAdvice::kPrimary, "an unlogged relation", true},
    Rule{"0A000", "RevalidateCachedQuery", RetryAdvice::kPrimary,
         "the catalog has changed under a prepared statement (C11)"},
    Rule{"0A000", "GetSerializableTransactionSnapshot", RetryAdvice::kPrimary,
         "serializable by default (B4)"},
    Rule{"0A000", "check_transaction_read_only", RetryAdvice::kPrimary,
         "read-write by default (B5)"},
    Rule{"55000", "", RetryAdvice::kPrimary, "recovery is in progress", true},
    Rule{"XX000", "GetNewObjectId", RetryAdvice::kPrimary, "a write that was found late", true},
    Rule{"XX000", "GetNewTransactionId", RetryAdvice::kPrimary, "a write that was found late",
         true},
    Rule{"XX000", "AssignTransactionId", RetryAdvice::kPrimary, "a write that was found late",
         true},
    Rule{"XX000", "XLogInsert", RetryAdvice::kPrimary, "a write that was found late", true},
    Rule{"XX000", "XLogBeginInsert", RetryAdvice::kPrimary, "a write that was found late", true},
    Rule{"40001", "", RetryAdvice::kElsewhere, "a conflict with recovery"},
    Rule{"40P01", "", RetryAdvice::kElsewhere, "a deadlock with the startup process"},
    Rule{"57P01", "", RetryAdvice::kElsewhere, "the server is being shut down"},
    Rule{"57P02", "", RetryAdvice::kElsewhere, "the server has crashed"},
    Rule{"57P03", "", RetryAdvice::kElsewhere, "the server is starting up"},
    Rule{"42P01", "", RetryAdvice::kPrimary, "a table that the replica may not have yet"},
    Rule{"42703", "", RetryAdvice::kPrimary, "a column that the replica may not have yet"},
    Rule{"42883", "", RetryAdvice::kPrimary, "a function that the replica may not have yet"},
    Rule{"42704", "", RetryAdvice::kPrimary, "an object that the replica may not have yet"},
    Rule{"3F000", "", RetryAdvice::kPrimary, "a schema that the replica may not have yet"},
    Rule{"26000", "", RetryAdvice::kPrimary,
         "a prepared statement that was dropped behind our back"},
};

const Rule* find_rule(const wire::ErrorFields& error) {
  const auto* found = std::ranges::find_if(kRules, [&](const Rule& rule) {
    return error.sqlstate() == rule.sqlstate &&
           (rule.routine.empty() || error.routine() == rule.routine);
  });
  return found == kRules.end() ? nullptr : found;
}

}  // namespace

RetryAdvice advise_retry(const wire::ErrorFields& error) {
  const Rule* rule = find_rule(error);
  return rule == nullptr ? RetryAdvice::kNone : rule->advice;
}

bool is_lasting_refusal(const wire::ErrorFields& error) {
  const Rule* rule = find_rule(error);
  return rule != nullptr && rule->lasts;
}

bool is_lost_statement(const wire::ErrorFields& error) {
  if (error.sqlstate() != "26000") return false;
  // Whether the client has an unnamed one, Fairlead knows. Of the others the name stands in the
  // message, in every language; it may be the client's own.
  if (error.routine() == "exec_bind_message" ||
      error.routine() == "exec_describe_statement_message")
    return true;
  return error.routine() == "FetchPreparedStatement" &&
         error.message().contains(ServerStatementName::kPrefix) &&
         !error.message().contains(kMissingStatement);
}

bool is_stale_plan(const wire::ErrorFields& error) {
  return error.sqlstate() == "0A000" && error.routine() == "RevalidateCachedQuery";
}

}  // namespace fairlead::core
