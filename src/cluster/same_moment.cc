#include "cluster/same_moment.h"

#include <fmt/format.h>

#include <future>
#include <set>
#include <thread>

#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// How often a replica is asked how far it is.
constexpr std::chrono::milliseconds kBetweenQuestions{5};

TableSums failed_all(const std::vector<TableName>& tables, const Error& error) {
  TableSums sums;
  for (const TableName& table : tables) sums.emplace(table, std::unexpected(error));
  return sums;
}

}  // namespace

SameMoment::SameMoment(const Cluster& cluster, std::vector<const Node*> nodes, std::string database,
                       const StopFlag& stop)
    : cluster_(cluster), database_(std::move(database)), stop_(stop) {
  for (const Node* node : nodes) readers_.push_back({node, {}, {}, false});
}

Result<SqlConnection> SameMoment::connect(const Node& node) const {
  auto sql = SqlConnection::open(cluster_.as_superuser(node, database_));
  if (!sql) return sql;
  sql->stop_with(stop_);
  if (auto ready = prepare_for_sums(*sql); !ready) return std::unexpected(ready.error());
  return sql;
}

Result<void> SameMoment::open() {
  for (Reader& reader : readers_) {
    reader.trouble.reset();
    if (reader.left_out) continue;
    if (reader.sql && reader.sql->works()) continue;
    auto sql = connect(*reader.node);
    if (sql)
      reader.sql.emplace(std::move(*sql));
    else
      reader.trouble = sql.error();
  }
  if (readers_.front().trouble) return std::unexpected(*readers_.front().trouble);
  if (beside_ && beside_->works()) return {};
  auto sql = connect(*readers_.front().node);
  if (!sql) return std::unexpected(sql.error());
  beside_.emplace(std::move(*sql));
  return {};
}

Result<Lsn> SameMoment::begin_on_primary(const std::optional<Hold>& hold) {
  SqlConnection& sql = *readers_.front().sql;
  if (auto begun = sql.query(kBegin); !begun) return std::unexpected(begun.error());
  std::string question = "SELECT pg_current_wal_insert_lsn()";
  // LOCK takes no snapshot: the SELECT behind it does, when no writer is left. What is written by
  // then is visible, because a transaction gives its locks up after that. No other lock is held:
  // nobody can wait for us while we wait for them.
  if (hold) {
    auto locked = sql.query(
        fmt::format("SAVEPOINT hold; SET LOCAL lock_timeout = {}; LOCK TABLE ONLY {} IN SHARE MODE",
                    hold->patience.count(), quoted(sql, hold->table)));
    if (!locked)
      return fail(is_gone(sql) ? ErrorCode::kUndefinedObject : locked.error().code,
                  locked.error().message, locked.error().detail);
    question += ", " + identity_columns(sql, hold->table);
  }
  auto answer = sql.query(question);
  if (!answer) return std::unexpected(answer.error());
  const std::vector<Cell>& row = answer->rows.at(0);
  if (hold) held_ = identity_of(row, 1);
  return Lsn::parse(row.at(0).value_or("")).value_or(Lsn{});
}

Result<void> SameMoment::flush_up_to(Lsn position) {
  // Commits of sessions with synchronous_commit = off, and ends of records that nobody committed,
  // would reach the replicas some time later (D4); a commit of our own takes them along.
  return done_or_error(
      beside_->query(fmt::format("SELECT CASE WHEN pg_current_wal_flush_lsn() < '{}' THEN"
                                 " pg_logical_emit_message(true, 'fairlead', '') END",
                                 position.to_string())));
}

Result<void> SameMoment::begin_on_replica(Reader& reader, Lsn position, Deadline deadline) {
  SqlConnection& sql = *reader.sql;
  const std::string question =
      fmt::format("SELECT pg_last_wal_replay_lsn() >= '{}'", position.to_string());
  for (;;) {
    const auto there = sql.value(question);
    if (!there) return std::unexpected(there.error());
    if (*there == "t") break;
    if (stop_.load()) return fail(ErrorCode::kQueryCanceled, "stopped on request");
    if (Clock::now() >= deadline)
      return fail(
          ErrorCode::kCannotConnectNow,
          fmt::format("{} had not replayed {} in time", reader.node->name, position.to_string()));
    std::this_thread::sleep_for(kBetweenQuestions);
  }
  return done_or_error(sql.query(fmt::format("{}; SELECT 1", kBegin)));
}

Result<void> SameMoment::begin(std::chrono::milliseconds patience,
                               const std::optional<Hold>& hold) {
  end();
  if (auto opened = open(); !opened) return opened;
  const auto position = begin_on_primary(hold);
  auto ready = position ? flush_up_to(*position) : std::unexpected(position.error());
  if (!ready) {
    end();
    return ready;
  }
  const auto deadline = Clock::now() + (hold ? hold->patience : patience);
  for (size_t i = 1; i < readers_.size(); ++i) {
    Reader& reader = readers_[i];
    if (reader.left_out || reader.trouble) continue;
    if (auto begun = begin_on_replica(reader, *position, deadline); !begun)
      reader.trouble = begun.error();
  }
  if (!hold) return {};
  return done_or_error(readers_.front().sql->query("ROLLBACK TO SAVEPOINT hold"));
}

Result<bool> SameMoment::is_being_made_or_dropped(uint32_t oid) {
  const auto held = beside_->value(
      fmt::format("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND relation = "
                  "{} AND granted"
                  " AND mode = 'AccessExclusiveLock' AND database ="
                  " (SELECT oid FROM pg_database WHERE datname = current_database()))",
                  oid));
  if (!held) return std::unexpected(held.error());
  return *held == "t";
}

std::vector<TableSums> SameMoment::read(const std::vector<TableName>& tables, Deadline deadline) {
  std::vector<std::future<TableSums>> works;
  for (Reader& reader : readers_)
    works.push_back(std::async(std::launch::async, [&reader, &tables, deadline] {
      if (reader.left_out) return TableSums();
      return reader.trouble ? failed_all(tables, *reader.trouble)
                            : read_sums(*reader.sql, tables, deadline);
    }));
  std::vector<TableSums> sums;
  for (auto& work : works) sums.push_back(work.get());
  return sums;
}

Result<std::vector<TableName>> SameMoment::tables(const std::string& without_schema) {
  std::set<TableName> all;
  for (Reader& reader : readers_) {
    if (reader.left_out || reader.trouble) continue;
    auto found = list_tables(*reader.sql, without_schema);
    if (found)
      all.insert(found->begin(), found->end());
    else if (&reader == &readers_.front())
      return found;
    else
      reader.trouble = found.error();
  }
  return std::vector<TableName>(all.begin(), all.end());
}

void SameMoment::end() {
  for (Reader& reader : readers_)
    if (reader.sql && reader.sql->works()) (void)reader.sql->query("ROLLBACK");
}

}  // namespace fairlead::cluster
