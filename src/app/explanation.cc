#include "app/explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "core/client_transaction.h"
#include "core/request_plan.h"
#include "sql/advice.h"
#include "sql/classify.h"
#include "sql/hints.h"

namespace fairlead::app {

namespace {

using sql::FunctionVerdict;
using sql::Reason;

std::string_view target_name(core::Target target) {
  return target == core::Target::kPrimary ? "primary" : "replica";
}

std::string where(const core::Route& route) {
  return std::string(target_name(route.target)) + (route.node.empty() ? "" : " " + route.node);
}

/// The functions that stand between the statement and a replica.
std::vector<std::string> deciding_functions(const sql::QueryFacts& facts,
                                            const sql::FunctionCatalog* catalog, Reason reason) {
  std::vector<std::string> out;
  if (reason == Reason::kCatalogLoading) {
    out = facts.functions;
    out.insert(out.end(), facts.attributes.begin(), facts.attributes.end());
    return out;
  }
  if (catalog == nullptr) return out;
  const bool is_listed = reason == Reason::kPrimaryList;
  if (!is_listed && reason != Reason::kVolatileFunction && reason != Reason::kUnknownFunction)
    return out;
  const auto counts = [&](FunctionVerdict verdict) {
    return is_listed ? verdict == FunctionVerdict::kListed : verdict != FunctionVerdict::kSafe;
  };
  for (const std::string& name : facts.functions)
    if (counts(catalog->verdict(name))) out.push_back(name);
  for (const std::string& name : facts.attributes)
    if (counts(catalog->attribute_verdict(name))) out.push_back(name);
  return out;
}

/// What else stands between them, by name; of what no text names, what the database calls it.
std::vector<std::string> deciding_objects(const sql::QueryFacts& facts,
                                          const sql::FunctionCatalog* catalog, Reason reason) {
  std::vector<std::string> out;
  if (catalog == nullptr || facts.access == sql::Access::kPrimary) return out;
  if (reason == catalog->implicit_call().reason && reason != Reason::kRead)
    out.push_back(catalog->implicit_call().object);
  for (const std::string& name : facts.operators)
    if (reason != Reason::kRead && catalog->operator_reason(name) == reason) out.push_back(name);
  for (const sql::Relation& relation : facts.relations)
    if (reason != Reason::kRead && catalog->relation_reason(relation.name) == reason)
      out.push_back(relation.name);
  return out;
}

bool may_leave_at_a_write(const sql::TransactionModes& modes, const sql::Hints& hints,
                          const config::Database& database) {
  const bool wanted = hints.transaction_reads
                          ? *hints.transaction_reads == sql::TransactionReads::kUntilWrite
                          : database.transaction_reads == config::TransactionReads::kUntilWrite;
  return wanted && (!modes.isolation || core::is_read_committed(*modes.isolation));  // B33
}

std::string_view change_of(const core::Route& route, const config::Database& database) {
  if (route.reason == Reason::kPinned && database.pool_mode == config::PoolMode::kSession)
    return "pool_mode = \"transaction\" in the configuration.";
  return sql::advice(route.reason);
}

}  // namespace

Result<Explanation> explain(std::string_view statement, const sql::FunctionCatalog* catalog,
                            const config::Database& database) {
  const sql::QueryFacts facts = sql::classify(statement);
  auto hints = sql::find_hints(statement);
  if (!hints) return std::unexpected(std::move(hints.error()));

  core::RouteInput input;
  input.decision = sql::decide(facts, catalog);
  input.pinned = database.pool_mode == config::PoolMode::kSession;
  input.hint = hints->route;
  const sql::TransactionCommand* command = core::only_command(facts);
  if (command != nullptr && command->kind == sql::TransactionCommand::Kind::kBegin) {
    input.opens = &command->modes;
    input.reads_until_write = may_leave_at_a_write(command->modes, *hints, database);
    // It goes with its first statement (B30), which is a read where that setting is of use.
    if (input.reads_until_write) input.decision.access = sql::Access::kRead;
  }
  const core::Route own = core::decide_route(input);
  const bool observes = database.mode == config::Mode::kObserve;
  const core::Route route = observes ? core::observe_route(own) : own;

  Explanation out;
  out.target = route.target;
  out.node = route.node;
  out.reason = route.reason;
  if (observes) out.would_be = own;
  out.functions = deciding_functions(facts, catalog, own.reason);
  out.objects = deciding_objects(facts, catalog, own.reason);
  // What would stay anyway is not freed by the end of observe mode alone.
  out.change = change_of(own.target == core::Target::kPrimary ? own : route, database);
  return out;
}

std::string explanation_text(const Explanation& explanation) {
  std::string out =
      fmt::format("target  {}\nreason  {}\nwhy     {}\n",
                  where({.target = explanation.target, .node = explanation.node}),
                  reason_name(explanation.reason), reason_description(explanation.reason));
  if (explanation.would_be)
    out += fmt::format("would be: {}, {}: {}\n", where(*explanation.would_be),
                       reason_name(explanation.would_be->reason),
                       reason_description(explanation.would_be->reason));
  if (!explanation.functions.empty())
    out += fmt::format("calls   {}\n", fmt::join(explanation.functions, ", "));
  if (!explanation.objects.empty())
    out += fmt::format("object  {}\n", fmt::join(explanation.objects, ", "));
  return out + fmt::format("change  {}\n", explanation.change);
}

namespace {

boost::json::value json_of(const core::Route& would_be) {
  return boost::json::object{{"target", target_name(would_be.target)},
                             {"reason", reason_name(would_be.reason)}};
}

}  // namespace

std::string explanation_json(const Explanation& explanation) {
  boost::json::array functions;
  boost::json::array objects;
  for (const std::string& name : explanation.functions) functions.emplace_back(name);
  for (const std::string& name : explanation.objects) objects.emplace_back(name);
  return boost::json::serialize(boost::json::object{
             {"target", target_name(explanation.target)},
             {"node", explanation.node.empty() ? boost::json::value()
                                               : boost::json::value(explanation.node)},
             {"reason", reason_name(explanation.reason)},
             {"description", reason_description(explanation.reason)},
             {"would_be", explanation.would_be ? json_of(*explanation.would_be) : nullptr},
             {"functions", std::move(functions)},
             {"objects", std::move(objects)},
             {"change", explanation.change}}) +
         "\n";
}

}  // namespace fairlead::app
