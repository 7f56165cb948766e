#include "core/prepared_client.h"

#include <utility>

#include "base/assert.h"

namespace fairlead::core {
namespace {

size_t cost_of(std::string_view name, const ClientStatement& statement) {
  return name.size() + statement.statement->bytes();
}

std::string quoted(std::string_view name) {
  return std::string("prepared statement \"").append(name).append("\"");
}

}  // namespace

const ClientStatement* ClientStatements::find(std::string_view name) const {
  if (name.empty()) return unnamed_.statement ? &unnamed_ : nullptr;
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : &found->second;
}

Result<void> ClientStatements::define(std::string_view name, ClientStatement statement) {
  require(statement.statement != nullptr, "a definition has a statement");
  const ClientStatement* old = find(name);
  if (old && !name.empty())
    return fail(ErrorCode::kDuplicateStatement, quoted(name) + " already exists");

  const size_t bytes_after = bytes_ - (old ? cost_of(name, *old) : 0) + cost_of(name, statement);
  const size_t count_after = size() + (old ? 0 : 1);
  if (count_after > limits_.statements_max || bytes_after > limits_.bytes_max ||
      unconfirmed() >= limits_.statements_max) {
    return fail(ErrorCode::kLimitExceeded, "too many prepared statements",
                "A client may have " + std::to_string(limits_.statements_max) + " of " +
                    std::to_string(limits_.bytes_max) + " bytes together.",
                "DEALLOCATE those that are not used any more.");
  }
  journal_.push_back({.name = std::string(name), .before = take(name), .all_before = nullptr});
  put(name, std::move(statement));
  return {};
}

void ClientStatements::close(std::string_view name) {
  journal_.push_back({.name = std::string(name), .before = take(name), .all_before = nullptr});
}

Result<void> ClientStatements::deallocate(std::string_view name) {
  if (!find(name)) return fail(ErrorCode::kInvalidStatementName, quoted(name) + " does not exist");
  close(name);
  return {};
}

void ClientStatements::deallocate_all() {
  bytes_ = unnamed_.statement ? cost_of("", unnamed_) : 0;
  journal_.push_back(
      {.name = {}, .before = {}, .all_before = std::make_unique<Map>(std::exchange(named_, {}))});
}

void ClientStatements::on_simple_query() { take(""); }

void ClientStatements::on_unseen_parse() {
  take("");
  unnamed_is_unseen_ = true;
}

void ClientStatements::on_confirmed() {
  require(unconfirmed() > 0, "only changes that were made are confirmed");
  journal_[journal_begin_++] = {};
  compact_journal();
}

void ClientStatements::on_refused() {
  require(unconfirmed() > 0, "only changes that were made are refused");
  const bool unnamed =
      journal_[journal_begin_].name.empty() && !journal_[journal_begin_].all_before;
  on_skipped();
  if (unnamed) take("");
}

void ClientStatements::on_skipped() {
  while (unconfirmed() > 0) take_back_last();
  compact_journal();
}

ClientStatement ClientStatements::take(std::string_view name) {
  if (name.empty()) {
    unnamed_is_unseen_ = false;
    if (unnamed_.statement) bytes_ -= cost_of(name, unnamed_);
    return std::exchange(unnamed_, {});
  }
  const auto found = named_.find(name);
  if (found == named_.end()) return {};
  ClientStatement taken = std::move(found->second);
  named_.erase(found);
  bytes_ -= cost_of(name, taken);
  return taken;
}

void ClientStatements::put(std::string_view name, ClientStatement statement) {
  if (!statement.statement) return;
  bytes_ += cost_of(name, statement);
  if (name.empty()) {
    unnamed_ = std::move(statement);
  } else {
    named_.insert_or_assign(std::string(name), std::move(statement));
  }
}

// Only in the reverse order of the changes: then what a change met is what it gets back.
void ClientStatements::take_back_last() {
  Undo undo = std::move(journal_.back());
  journal_.pop_back();
  if (!undo.all_before) {
    take(undo.name);
    put(undo.name, std::move(undo.before));
    return;
  }
  named_ = std::move(*undo.all_before);
  for (const auto& [name, statement] : named_) bytes_ += cost_of(name, statement);
}

void ClientStatements::compact_journal() {
  // All of it mostly; when a client never lets the pipeline run dry, as much as is moved.
  const bool is_small = journal_begin_ < 64 || journal_begin_ < unconfirmed();
  if (journal_begin_ < journal_.size() && is_small) return;
  journal_.erase(journal_.begin(), journal_.begin() + static_cast<ptrdiff_t>(journal_begin_));
  journal_begin_ = 0;
}

}  // namespace fairlead::core
