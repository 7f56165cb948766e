#include "cluster/verify_tables.h"

#include <algorithm>
#include <set>

#include "cluster/verify_write.h"

namespace fairlead::cluster {

namespace {

/// Long enough for a transaction in flight and a replica that keeps up, short enough for whoever
/// waits behind the lock.
constexpr std::chrono::milliseconds kHoldMax{1000};

/// A table that is made and dropped all the time is there on one node and not on the other at
/// perhaps one moment in ten.
constexpr int kLooksForATableMax = 10;

std::vector<std::vector<Difference>> compare_all(const SameMoment& moment,
                                                 const std::string& database,
                                                 const std::vector<TableSums>& sums) {
  std::vector<std::vector<Difference>> out = {unreadable(database, sums.front())};
  for (size_t i = 1; i < sums.size(); ++i)
    out.push_back(moment.is_left_out(i) ? std::vector<Difference>()
                                        : differences(database, sums.front(), sums[i]));
  return out;
}

/// A node that did not get to this moment would hold every further one up.
void leave_out_who_is_in_trouble(SameMoment& moment, TablesVerdict& verdict) {
  for (size_t i = 1; i < moment.nodes(); ++i) {
    if (moment.is_left_out(i) || !moment.trouble(i)) continue;
    verdict.trouble[i] = moment.trouble(i);
    moment.leave_out(i);
  }
}

std::set<TableName> suspects(const TablesVerdict& verdict) {
  std::set<TableName> out;
  for (const auto& node : verdict.nodes)
    for (const Difference& difference : node) out.insert(difference.table);
  return out;
}

bool is_in_doubt(const TablesVerdict& verdict, const TableName& table) {
  return suspects(verdict).contains(table);
}

/// What was found about `table` takes the place of what was known.
void replace(TablesVerdict& verdict, const TableName& table,
             std::vector<std::vector<Difference>> found) {
  for (size_t i = 0; i < verdict.nodes.size(); ++i) {
    std::erase_if(verdict.nodes[i],
                  [&table](const Difference& known) { return known.table == table; });
    std::ranges::move(found[i], std::back_inserter(verdict.nodes[i]));
  }
}

/// Whether a node lacks the table: then its definition is in doubt, not only its rows. No lock
/// decides that, because PostgreSQL lets go of pg_class before the transaction ends that makes or
/// drops a table. One that comes and goes is seen alike sooner or later, one that is missing never.
bool lacks_somewhere(const TablesVerdict& verdict, const TableName& table) {
  return std::ranges::any_of(verdict.nodes, [&table](const auto& node) {
    return std::ranges::any_of(node, [&table](const Difference& known) {
      return known.table == table &&
             (known.what == Difference::What::kMissing || known.what == Difference::What::kExtra);
    });
  });
}

void set_undecided(TablesVerdict& verdict, const TableName& table, const std::string& why) {
  for (auto& node : verdict.nodes)
    for (Difference& known : node) {
      if (known.table != table || known.what == Difference::What::kUnreadable) continue;
      known.what = Difference::What::kUndecided;
      known.detail = why;
    }
}

/// Looks again at one table, at a moment of its own.
Result<void> look_again(SameMoment& moment, const std::string& database, const TableName& table,
                        const TablesPatience& patience, const std::optional<SameMoment::Hold>& hold,
                        TablesVerdict& verdict) {
  if (auto begun = moment.begin(patience.replay, hold); !begun) return begun;
  if (!hold) leave_out_who_is_in_trouble(moment, verdict);
  replace(verdict, table, compare_all(moment, database, moment.read({table}, patience.deadline)));
  return {};
}

/// Looks at one table until it is known what it is. The last look holds its writers up: whatever
/// differs then was not being written to. A table may be gone by the time its lock is asked for,
/// which decides nothing: it is looked at again.
Result<void> decide(SameMoment& moment, const std::string& database, const TableName& table,
                    const TablesPatience& patience, TablesVerdict& verdict) {
  std::string doubt;
  for (int looks = 0; looks < kLooksForATableMax; ++looks) {
    if (auto done = look_again(moment, database, table, patience, std::nullopt, verdict); !done)
      return done;
    if (!is_in_doubt(verdict, table)) return {};
    if (lacks_somewhere(verdict, table)) continue;
    if (!patience.may_hold) {
      doubt = "it may only have changed, and no writer was to be held up";
      break;
    }
    const auto held =
        look_again(moment, database, table, patience, SameMoment::Hold{table, kHoldMax}, verdict);
    if (held) return {};
    doubt =
        "it changes all the time, and its writers could not be held up: " + held.error().message;
    if (held.error().code != ErrorCode::kUndefinedObject) break;
  }
  // One that was there on all nodes, ever, is not missing on any.
  if (!doubt.empty()) set_undecided(verdict, table, doubt);
  return {};
}

}  // namespace

Result<TablesVerdict> verify_tables(SameMoment& moment, const std::string& database,
                                    const TablesPatience& patience) {
  if (auto begun = moment.begin(patience.replay, std::nullopt); !begun)
    return std::unexpected(begun.error());
  const auto tables = moment.tables(kVerifySchema);
  if (!tables) return std::unexpected(tables.error());
  TablesVerdict verdict;
  verdict.trouble.resize(moment.nodes());
  leave_out_who_is_in_trouble(moment, verdict);
  const std::vector<TableSums> sums = moment.read(*tables, patience.deadline);
  verdict.tables = sums.front().size();
  for (const auto& [table, sum] : sums.front())
    if (sum) verdict.rows += sum->rows;
  verdict.nodes = compare_all(moment, database, sums);

  for (const TableName& table : suspects(verdict)) {
    if (std::chrono::steady_clock::now() >= patience.deadline) break;
    if (auto done = decide(moment, database, table, patience, verdict); !done)
      return std::unexpected(done.error());
  }
  moment.end();
  return verdict;
}

}  // namespace fairlead::cluster
