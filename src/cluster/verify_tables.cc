#include "cluster/verify_tables.h"

#include <algorithm>
#include <set>

#include "cluster/verify_write.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// Long enough for a transaction in flight and a replica that keeps up, short enough for whoever
/// waits behind the lock.
constexpr std::chrono::milliseconds kHoldMax{1000};

/// A table that is made and dropped all the time is there on one node and not on the other at most
/// moments, where its commits wait for replicas.
constexpr int kLooksMax = 100;
constexpr const char* kComesAndGoes = "it is made and dropped, or emptied, all the time";

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

/// Where the table is there and where it is not, or the other way round: pairs of a node and of
/// which table. Empty: all have one of this name.
using Lack = std::set<std::pair<size_t, uint32_t>>;

Lack lack_of(const TablesVerdict& verdict, const TableName& table) {
  Lack out;
  for (size_t i = 0; i < verdict.nodes.size(); ++i)
    for (const Difference& known : verdict.nodes[i])
      if (known.table == table &&
          (known.what == Difference::What::kMissing || known.what == Difference::What::kExtra))
        out.emplace(i, known.oid);
  return out;
}

Result<bool> is_being_made_or_dropped(SameMoment& moment, const Lack& lack) {
  for (const auto& [node, oid] : lack) {
    const auto is = moment.is_being_made_or_dropped(oid);
    if (!is || *is) return is;
  }
  return false;
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
                        const TablesPatience& patience, TablesVerdict& verdict) {
  if (auto begun = moment.begin(patience.replay, std::nullopt); !begun) return begun;
  leave_out_who_is_in_trouble(moment, verdict);
  replace(verdict, table, compare_all(moment, database, moment.read({table}, patience.deadline)));
  return {};
}

/// Looks while its writers are held up. False: what was read is not what was held.
Result<bool> look_with_hold(SameMoment& moment, const std::string& database, const TableName& table,
                            const TablesPatience& patience, TablesVerdict& verdict) {
  const auto begun = moment.begin(patience.replay, SameMoment::Hold{table, kHoldMax});
  if (!begun && begun.error().code == ErrorCode::kUndefinedObject) return false;
  if (!begun) return std::unexpected(begun.error());
  const auto sums = moment.read({table}, patience.deadline);
  replace(verdict, table, compare_all(moment, database, sums));
  for (size_t i = 0; i < sums.size(); ++i) {
    if (moment.is_left_out(i)) continue;
    const auto found = sums[i].find(table);
    if (found == sums[i].end()) return false;
    if (found->second && found->second->identity != moment.held()) return false;
  }
  return true;
}

/// Looks at one table until it is known what it is. Gives why that is not known, or nothing.
///
/// Where a node lacks it, no lock decides: PostgreSQL lets go of pg_class before the transaction
/// ends that makes or drops a table. But that transaction holds the table itself until the primary
/// shows its end. So a node truly lacks it when two looks find the very same, and between them
/// nobody was making or dropping it: what had been done before is seen alike by the second.
///
/// Where all have it, its writers are held up: what differs then was not being written to. It may
/// be dropped or emptied before its lock is had, or before it is read: that decides nothing.
Result<std::string> look_until_known(SameMoment& moment, const std::string& database,
                                     const TableName& table, const TablesPatience& patience,
                                     TablesVerdict& verdict) {
  Lack before;
  std::string doubt = kComesAndGoes;
  for (int looks = 0; looks < kLooksMax; ++looks) {
    if (Clock::now() >= patience.deadline) return "there was no time to look at it again";
    if (auto done = look_again(moment, database, table, patience, verdict); !done)
      return std::unexpected(done.error());
    if (!is_in_doubt(verdict, table)) return "";
    if (const Lack lack = lack_of(verdict, table); !lack.empty()) {
      if (lack == before) return "";
      const auto changes = is_being_made_or_dropped(moment, lack);
      if (!changes) return std::unexpected(changes.error());
      before = *changes ? Lack() : lack;
      doubt = *changes ? "a transaction that makes or drops it has not ended" : kComesAndGoes;
      continue;
    }
    before.clear();
    if (!patience.may_hold) return "it may only have changed, and no writer was to be held up";
    const auto is_held = look_with_hold(moment, database, table, patience, verdict);
    if (!is_held)
      return "it changes all the time, and its writers could not be held up: " +
             is_held.error().message;
    if (*is_held || !is_in_doubt(verdict, table)) return "";
    doubt = kComesAndGoes;
  }
  return doubt;
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
    const auto doubt = look_until_known(moment, database, table, patience, verdict);
    if (!doubt) return std::unexpected(doubt.error());
    if (!doubt->empty()) set_undecided(verdict, table, *doubt);
  }
  moment.end();
  return verdict;
}

}  // namespace fairlead::cluster
