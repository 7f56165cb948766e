#include "proxy/catalog_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/log.h"
#include "proxy/probe.h"
#include "proxy/probe_login.h"
#include "sql/advice.h"
#include "wire/printable.h"

namespace fairlead::proxy {
namespace {

/// Unique in the process, because a shape cache may meet the catalogs of several clusters. Never 0.
uint64_t next_generation() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

constexpr std::string_view kMeanwhile =
    "Until then everything that names a function or a table goes to the primary.";

Error why_not_in(const LoginFailure& failure, const std::string& user,
                 const std::string& database) {
  Error error = failure.error;
  if (failure.sqlstate == sqlstate(ErrorCode::kInvalidCatalogName)) {
    error.code = ErrorCode::kInvalidCatalogName;
  } else if (classify(failure) == core::ProbeResult::kAuthFailed) {
    error.code = ErrorCode::kInvalidAuthorization;
    if (error.hint.empty())  // The server refuses us; else we refuse how it asks.
      error.hint = fmt::format(
          "Let \"{0}\" in by pg_hba.conf, and GRANT CONNECT ON DATABASE \"{1}\" TO \"{0}\".", user,
          wire::printable(database));
    error.hint += fmt::format(" {}", kMeanwhile);
  }
  return error;
}

bool is_standby(const Conversation& conversation) {
  return std::ranges::any_of(conversation.reported(), [](const auto& parameter) {
    return parameter.first == "in_hot_standby" && parameter.second == "on";
  });
}

}  // namespace

CatalogLoader::CatalogLoader(net::Loop& loop, std::string cluster, ServerLogin login,
                             sql::RoutingLists lists, Publish publish)
    : loop_(loop),
      cluster_(std::move(cluster)),
      login_(own_login(std::move(login), "fairlead-catalog")),
      lists_(std::move(lists)),
      publish_(std::move(publish)),
      spawner_(loop) {}

CatalogLoader::~CatalogLoader() = default;

void CatalogLoader::set_primary(const std::optional<ServerEndpoint>& primary, uint32_t timeline) {
  if (timeline != timeline_) forget_timeline(timeline);
  const bool is_same = primary.has_value() == primary_.has_value() &&
                       (!primary || primary->name() == primary_->name());
  if (is_same && (!primary || primary->tls == primary_->tls)) return;
  primary_ = primary;
  if (!is_same) primary_since_ = net::Loop::now();
  for (const auto& [name, database] : databases_) {
    database->failures = 0;
    database->next_at = Time{};  // A new primary is asked at once.
    database->poked.notify_all();
  }
}

/// Until it is loaded anew nothing is known of the functions of any database: the same name may
/// stand for another function than a moment ago (A42).
void CatalogLoader::forget_timeline(uint32_t timeline) {
  timeline_ = timeline;
  for (const auto& [name, database] : databases_) {
    database->changed = true;
    database->failures = 0;
    database->load_started_at = {};
    if (!database->mark.empty()) publish_(name, nullptr);
    database->mark.clear();
    database->poked.notify_all();
  }
}

void CatalogLoader::request(const std::string& database) {
  if (stopping_) return;
  const auto known = databases_.find(database);
  if (known != databases_.end()) {
    if (known->second->running) return;
    databases_.erase(known);  // It was gone, and somebody asks again.
  }
  if (is_full()) return;
  const auto added =
      databases_.emplace(database, std::make_unique<Database>(loop_, database)).first;
  spawner_.spawn(keep(*added->second));
}

bool CatalogLoader::is_full() {
  if (databases_.size() < kCatalogDatabasesMax) return false;
  std::erase_if(databases_, [](const auto& entry) { return !entry.second->running; });
  if (databases_.size() < kCatalogDatabasesMax) return false;
  if (!said_full_)
    log::warning(
        "cluster {}: clients use more than {} databases; the functions of further ones are not "
        "looked up, and everything that names a function or a table goes to the primary there",
        cluster_, kCatalogDatabasesMax);
  said_full_ = true;
  return true;
}

void CatalogLoader::invalidate(const std::string& database) {
  const auto known = databases_.find(database);
  if (known == databases_.end()) return;
  known->second->changed = true;
  known->second->poked.notify_all();
}

void CatalogLoader::doubt(const std::string& database) {
  const auto known = databases_.find(database);
  if (known != databases_.end()) known->second->doubted = true;
}

net::Task<void> CatalogLoader::stop() {
  stopping_ = true;
  for (const auto& [name, database] : databases_) database->poked.notify_all();
  co_await spawner_.join();
}

net::Task<void> CatalogLoader::keep(Database& database) {
  while (!stopping_ && !database.over) {
    if (primary_) {
      const uint32_t timeline = timeline_;
      const auto refreshed = co_await refresh(database);
      if (stopping_) break;
      if (timeline != timeline_) continue;  // The last primary's answer says nothing any more.
      if (refreshed)
        on_success(database);
      else
        on_failure(database, refreshed.error());
    }
    co_await wait_until_due(database);
  }
  database.running = false;
}

net::Task<void> CatalogLoader::wait_until_due(Database& database) {
  while (!stopping_ && !database.over) {
    if (!primary_) {
      co_await database.poked.wait();
      continue;
    }
    const Duration left = due(database) - net::Loop::now();
    if (left <= Duration::zero()) co_return;
    co_await database.poked.wait_for(left);
  }
}

Time CatalogLoader::due(const Database& database) const {
  if (database.changed && database.failures == 0)
    return database.load_started_at + kCatalogLoadGapMin;
  return database.next_at;
}

net::Task<Result<void>> CatalogLoader::refresh(Database& database) {
  auto conversation = co_await connect(database);
  if (!conversation) co_return std::unexpected(std::move(conversation.error()));
  if (!database.changed && !database.doubted && !database.mark.empty()) {
    const auto rows = co_await (*conversation)->ask(std::string(kCatalogMarkSql), kCatalogTimeout);
    if (!rows) co_return std::unexpected(rows.error());
    const auto mark = read_mark(*rows);
    if (!mark) co_return std::unexpected(mark.error());
    if (*mark == database.mark && !database.changed && !database.doubted) co_return Result<void>{};
  }
  // What is invalidated from here on may be too late for this load and asks for another one.
  database.changed = database.doubted = false;
  database.load_started_at = net::Loop::now();
  const uint32_t timeline = timeline_;
  const auto rows = co_await (*conversation)->ask(catalog_sql(), kCatalogTimeout);
  if (timeline != timeline_)  // Nothing of it counts.
    co_return Result<void>{};
  Result<LoadedCatalog> loaded =
      rows ? read_catalog(*rows, next_generation(), database.load_started_at, lists_)
           : std::unexpected(rows.error());
  if (!loaded) {
    database.changed = true;
    co_return std::unexpected(std::move(loaded.error()));
  }
  log::debug("cluster {}: database \"{}\" has functions by {} names, catalog {}", cluster_,
             wire::printable(database.name), loaded->functions->size(),
             loaded->functions->generation());
  database.mark = std::move(loaded->mark);
  tell_implicit_call(database, loaded->functions->implicit_call());
  publish_(database.name, std::move(loaded->functions));
  co_return Result<void>{};
}

net::Task<Result<std::unique_ptr<Conversation>>> CatalogLoader::connect(const Database& database) {
  ServerEndpoint endpoint = *primary_;
  endpoint.timeout = kCatalogTimeout;
  ServerLogin login = login_;
  login.database = database.name;
  auto opened = co_await Conversation::open(loop_, std::move(endpoint), std::move(login));
  if (!opened) co_return std::unexpected(why_not_in(opened.error(), login_.user, database.name));
  if (is_standby(**opened))  // E4: a replica may not know the latest functions yet.
    co_return fail(ErrorCode::kCannotConnectNow, "the primary has become a replica");
  co_return std::move(*opened);
}

// Whoever wonders why nothing goes to a replica any more finds it in the log.
void CatalogLoader::tell_implicit_call(Database& database, const sql::ImplicitCall& call) {
  std::string told;
  if (call.reason != sql::Reason::kRead)
    told = fmt::format("{} ({})", sql::reason_name(call.reason), wire::printable(call.object));
  if (told == database.implicit) return;
  if (!told.empty())
    log::warning("cluster {}: all reads of database \"{}\" go to the primary: {}. {} {}", cluster_,
                 wire::printable(database.name), told, sql::reason_description(call.reason),
                 sql::advice(call.reason));
  else
    log::info("cluster {}: reads of database \"{}\" go to replicas again", cluster_,
              wire::printable(database.name));
  database.implicit = std::move(told);
}

void CatalogLoader::on_success(Database& database) {
  if (!database.complaint.empty())
    log::info("cluster {}: the functions of database \"{}\" are known now", cluster_,
              wire::printable(database.name));
  database.complaint.clear();
  database.failures = 0;
  database.confirmed_at = net::Loop::now();
  database.next_at = database.confirmed_at + kCatalogPollInterval;
}

void CatalogLoader::on_failure(Database& database, const Error& error) {
  const Time now = net::Loop::now();
  const std::string complaint = describe(error);
  if (database.complaint != complaint)
    log::warning("cluster {}: the functions of database \"{}\" cannot be looked up: {}", cluster_,
                 wire::printable(database.name), complaint);
  database.complaint = complaint;

  const uint32_t doublings = std::min(database.failures++, 6U);  // 2^6 s is above the limit.
  const bool is_kept_out =
      error.code == ErrorCode::kInvalidAuthorization || error.code == ErrorCode::kLimitExceeded;
  const Duration backoff = std::min(kCatalogRetryMin * (1U << doublings), kCatalogRetryMax);
  database.next_at = now + (is_kept_out ? kCatalogRetryMax : backoff);

  if (error.code == ErrorCode::kInvalidCatalogName) {
    database.over = true;
    withdraw(database, "it does not exist");
  } else if (error.code == ErrorCode::kLimitExceeded) {
    withdraw(database, "it has too many functions");
  } else if (primary_ &&
             now - std::max(database.confirmed_at, primary_since_) > kCatalogUnconfirmedMax) {
    withdraw(database, "they could not be looked up for too long");
  }
}

void CatalogLoader::withdraw(Database& database, std::string_view why) {
  if (database.mark.empty()) return;
  log::warning(
      "cluster {}: what was known of the functions of database \"{}\" is dropped, because {}; "
      "everything that names a function or a table goes to the primary",
      cluster_, wire::printable(database.name), why);
  database.mark.clear();
  publish_(database.name, nullptr);
}

}  // namespace fairlead::proxy
