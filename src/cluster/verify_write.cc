#include "cluster/verify_write.h"

#include <fmt/format.h>

#include <optional>
#include <thread>

#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenRows{2};
/// A replica that answers does so at once; a longer wait would make the others look late.
constexpr std::chrono::milliseconds kAnswerDeadline{2000};
/// "verify" in bytes: our own advisory lock.
constexpr const char* kLock = "SELECT pg_try_advisory_lock(130287092590201)";
/// By this a schema of ours is known from one that only has its name.
constexpr const char* kComment = "Made by fairlead cluster verify, which removes it.";

/// One replica that has not shown the write yet.
struct Waiting {
  std::optional<SqlConnection> sql;
  std::optional<Result<Duration>> outcome;
};

/// Removes our schema, or sees that there is none.
Result<void> drop_schema(SqlConnection& sql) {
  auto comment =
      sql.query(fmt::format("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace"
                            " WHERE nspname = '{}'",
                            kVerifySchema));
  if (!comment) return std::unexpected(comment.error());
  if (comment->rows.empty()) return {};
  if (comment->rows[0][0] != kComment)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("there is a schema {} that verify did not make", kVerifySchema), {},
                "rename it, or remove it");
  return done_or_error(sql.query(fmt::format("DROP SCHEMA {} CASCADE", kVerifySchema)));
}

Result<SqlConnection> connect(const Cluster& cluster, const Node& node, const StopFlag& stop) {
  auto sql = SqlConnection::open(cluster.as_superuser(node), kAnswerDeadline);
  if (sql) sql->stop_with(stop);
  return sql;
}

}  // namespace

Result<VerifyWrite> VerifyWrite::make(const Cluster& cluster, const Node& primary,
                                      const StopFlag& stop) {
  auto sql = SqlConnection::open(cluster.as_superuser(primary));
  if (!sql) return std::unexpected(sql.error());
  auto ready = sql->query(
      "SET synchronous_commit = 'local'; SET lock_timeout = '10s'; SET statement_timeout = '20s'");
  if (!ready) return std::unexpected(ready.error());
  auto locked = sql->value(kLock);
  if (!locked) return std::unexpected(locked.error());
  if (*locked != "t")
    return fail(ErrorCode::kIo, "another verify is at work on this cluster", {},
                "wait for it to end");
  if (auto dropped = drop_schema(*sql); !dropped) return std::unexpected(dropped.error());
  VerifyWrite write(cluster, std::move(*sql), stop);
  // One transaction: a simple query of several statements.
  auto word = write.primary_.value(
      fmt::format("CREATE SCHEMA {0}; COMMENT ON SCHEMA {0} IS {1};"
                  "CREATE TABLE {0}.written (word text);"
                  "INSERT INTO {0}.written VALUES (pg_current_xact_id()::text) RETURNING word",
                  kVerifySchema, write.primary_.literal(kComment)));
  if (!word) return std::unexpected(word.error());
  write.word_ = *word;
  write.written_at_ = Clock::now();
  return write;
}

std::vector<Result<Duration>> VerifyWrite::await(const std::vector<const Node*>& replicas,
                                                 std::chrono::milliseconds patience) {
  std::vector<Waiting> all(replicas.size());
  const std::string question = fmt::format("SELECT word FROM {}.written", kVerifySchema);
  for (size_t left = all.size(); left > 0;) {
    for (size_t i = 0; i < all.size(); ++i) {
      Waiting& one = all[i];
      if (one.outcome) continue;
      if (!one.sql || !one.sql->works()) {
        one.sql.reset();
        if (auto sql = connect(*cluster_, *replicas[i], *stop_)) one.sql.emplace(std::move(*sql));
      }
      const auto word = one.sql ? one.sql->query(question, kAnswerDeadline)
                                : Result<SqlRows>(std::unexpected(Error{}));
      const auto took = Clock::now() - written_at_;
      if (word && word->rows == decltype(word->rows){{word_}})
        one.outcome = std::chrono::duration_cast<Duration>(took);
      else if (took > patience)
        one.outcome = fail(ErrorCode::kCannotConnectNow,
                           fmt::format("the write was not there after {} s",
                                       static_cast<double>(patience.count()) / 1000));
      else if (stop_->load())
        one.outcome = fail(ErrorCode::kQueryCanceled, "stopped on request");
      if (one.outcome) --left;
    }
    if (left > 0) std::this_thread::sleep_for(kBetweenRows);
  }
  std::vector<Result<Duration>> out;
  for (Waiting& one : all) out.push_back(std::move(*one.outcome));
  return out;
}

Result<void> VerifyWrite::remove() { return drop_schema(primary_); }

}  // namespace fairlead::cluster
