#include "cluster/table_differences.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace fairlead::cluster {

namespace {

using What = Difference::What;

/// The server found its own files damaged: class XX is for that, class 58 for what the system said.
bool is_damage(const Error& error) {
  return error.detail.starts_with("SQLSTATE XX") || error.detail.starts_with("SQLSTATE 58");
}

Difference unread(const Error& error) {
  Difference out;
  out.what = is_damage(error) ? What::kUnreadable : What::kUndecided;
  out.detail = error.message;
  return out;
}

std::optional<Difference> compare(const Result<TableSum>* primary, const Result<TableSum>* node) {
  if (node != nullptr && !*node) return unread(node->error());
  if (primary != nullptr && !*primary) {
    // Whatever is wrong there, this node cannot be blamed for it.
    Difference out;
    out.detail = "the primary could not be read: " + primary->error().message;
    return out;
  }
  Difference out;
  if (primary != nullptr) out.primary_rows = (*primary)->rows;
  if (node != nullptr) out.rows = (*node)->rows;
  if (primary == nullptr || node == nullptr) {
    out.what = primary == nullptr ? What::kExtra : What::kMissing;
    out.oid = (primary == nullptr ? *node : *primary)->identity.oid;
    return out;
  }
  if ((*node)->holds_the_same_as(**primary)) return std::nullopt;
  out.what = out.rows == out.primary_rows ? What::kContent : What::kRows;
  return out;
}

const Result<TableSum>* find(const TableSums& sums, const TableName& table) {
  const auto found = sums.find(table);
  return found == sums.end() ? nullptr : &found->second;
}

}  // namespace

std::string_view to_string(What what) {
  constexpr std::array<std::string_view, 6> kNames = {"rows",  "content",    "missing",
                                                      "extra", "unreadable", "undecided"};
  return kNames[static_cast<size_t>(what)];
}

std::string describe(const Difference& difference) {
  const std::string where = fmt::format("{}.{}", difference.database, difference.table.text());
  switch (difference.what) {
    case What::kRows:
      return fmt::format("{}: {} rows, the primary has {}", where, difference.rows.value_or(0),
                         difference.primary_rows.value_or(0));
    case What::kContent:
      return fmt::format("{}: {} rows as on the primary, with other values", where,
                         difference.rows.value_or(0));
    case What::kMissing:
      return fmt::format("{}: missing, the primary has {} rows", where,
                         difference.primary_rows.value_or(0));
    case What::kExtra:
      return fmt::format("{}: {} rows, and the primary has no such table", where,
                         difference.rows.value_or(0));
    case What::kUnreadable:
      return fmt::format("{}: cannot be read: {}", where, difference.detail);
    case What::kUndecided:
      break;
  }
  return fmt::format("{}: not compared: {}", where, difference.detail);
}

std::vector<Difference> differences(const std::string& database, const TableSums& primary,
                                    const TableSums& node) {
  std::set<TableName> tables;
  for (const TableSums* sums : {&primary, &node})
    for (const auto& [table, sum] : *sums) tables.insert(table);
  std::vector<Difference> out;
  for (const TableName& table : tables) {
    auto found = compare(find(primary, table), find(node, table));
    if (!found) continue;
    found->database = database;
    found->table = table;
    out.push_back(std::move(*found));
  }
  return out;
}

std::vector<Difference> unreadable(const std::string& database, const TableSums& primary) {
  std::vector<Difference> out;
  for (const auto& [table, sum] : primary) {
    if (sum) continue;
    Difference found = unread(sum.error());
    found.database = database;
    found.table = table;
    out.push_back(std::move(found));
  }
  return out;
}

}  // namespace fairlead::cluster
