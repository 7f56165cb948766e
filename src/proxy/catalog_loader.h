// Keeps, for each database of one cluster that clients use, what its functions are and what else
// calls them, so that calls can be classified (A40, A41, A45): loads from the current primary,
// polls for DDL that was not seen here, and loads again when told of DDL.
//
// It connects for each question, as the monitor's user, and leaves again: a connection that stayed
// would keep everybody from DROP DATABASE, which waits 5 s for others to go, and hold a slot.
// Everything runs on one loop. Until a database is loaded it has no catalog, and every statement
// with a call goes to the primary.
//
// A42: the catalog that was published last stays in force while a newer one is on its way or the
// primary away: up to kCatalogPollInterval for DDL from elsewhere, some 20 ms after invalidate().
// In that time a function that was replaced by one that writes may still be sent to a replica.
// Nothing is written there: a replica refuses (25006), and the statement is repeated on the primary
// (A60).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/spawner.h"
#include "proxy/catalog_query.h"
#include "proxy/server_login.h"

namespace fairlead::proxy {

/// How old the knowledge of DDL that did not pass through here may be.
inline constexpr Duration kCatalogPollInterval = std::chrono::seconds(5);
/// Loads of one database are at least this far apart: a migration may send hundreds of statements.
inline constexpr Duration kCatalogLoadGapMin = std::chrono::milliseconds(100);
/// After a failure it is tried again after 1 s, then ever less often down to this; at once this
/// when the database does not let the monitor's user in. Each attempt is a line in the server's
/// log.
inline constexpr Duration kCatalogRetryMin = std::chrono::seconds(1);
inline constexpr Duration kCatalogRetryMax = std::chrono::seconds(60);
/// A catalog that could not be confirmed for so long, though there is a primary, is withdrawn.
inline constexpr Duration kCatalogUnconfirmedMax = std::chrono::seconds(60);
/// For connecting, and for each question. A load is about 15 ms of work for 3245 functions.
inline constexpr Duration kCatalogTimeout = std::chrono::seconds(10);
/// Each costs one login on the primary per kCatalogPollInterval. Further databases get no catalog.
inline constexpr size_t kCatalogDatabasesMax = 64;

class CatalogLoader {
 public:
  /// Called on the loader's loop for every new catalog; with null when the last one is no longer to
  /// be trusted: the database is gone, has too many functions, or cannot be asked any more.
  using Publish =
      std::function<void(const std::string& database, std::shared_ptr<const sql::FunctionCatalog>)>;

  /// `login.database` is not used. `loop` must outlive the loader, and stop() must be awaited
  /// before it is destroyed.
  CatalogLoader(net::Loop& loop, std::string cluster, ServerLogin login, sql::RoutingLists lists,
                Publish publish);
  ~CatalogLoader();

  /// Whom to ask from now on; nullopt while there is no primary. On another `timeline` what was
  /// known is void: the last DDL may be lost. Call it with every new snapshot, cheap when nothing
  /// changed. Another TLS, as after a reload, is used at once, as another primary is.
  void set_primary(const std::optional<ServerEndpoint>& primary, uint32_t timeline);

  /// A client uses this database, by its name on the server: loads it, and keeps it fresh from now
  /// on. Again: nothing. Call it once the client has logged in, so that strangers cannot fill the
  /// list of databases with names that they make up.
  void request(const std::string& database);
  /// DDL was committed there. Loads again at once, or kCatalogLoadGapMin after the last time. No
  /// effect on a database that was not requested.
  void invalidate(const std::string& database);
  /// What was committed there may have been DDL: a catalog of a later moment is loaded when it is
  /// looked at next, even if it is the same.
  void doubt(const std::string& database);

  /// Ends all questions and joins; one that waits for a silent server ends with its deadline.
  net::Task<void> stop();

 private:
  struct Database {
    Database(net::Loop& loop, std::string database_name)
        : name(std::move(database_name)), poked(loop) {}

    const std::string name;
    net::Signal poked;
    bool changed = true;   // Load, whatever the mark says.
    bool doubted = false;  // The same, at the next look.
    CatalogMark mark;      // Of the catalog in force; empty: there is none.
    Time load_started_at{};
    Time confirmed_at{};
    Time next_at{};
    uint32_t failures = 0;  // In a row.
    std::string complaint;  // The failure that was logged last, so that it is logged once.
    std::string implicit;   // What sends all of its reads to the primary, as it was logged.
    bool over = false;      // It does not exist; its coroutine has ended or will.
    bool running = true;
  };

  net::Task<void> keep(Database& database);
  net::Task<void> wait_until_due(Database& database);
  void forget_timeline(uint32_t timeline);
  net::Task<Result<void>> refresh(Database& database);
  net::Task<Result<std::unique_ptr<Conversation>>> connect(const Database& database);
  void tell_implicit_call(Database& database, const sql::ImplicitCall& call);
  void on_success(Database& database);
  void on_failure(Database& database, const Error& error);
  void withdraw(Database& database, std::string_view why);
  Time due(const Database& database) const;
  bool is_full();

  net::Loop& loop_;
  const std::string cluster_;
  const ServerLogin login_;
  const sql::RoutingLists lists_;
  const Publish publish_;
  net::Spawner spawner_;
  std::map<std::string, std::unique_ptr<Database>, std::less<>> databases_;
  std::optional<ServerEndpoint> primary_;
  uint32_t timeline_ = 0;
  Time primary_since_{};
  bool said_full_ = false;
  bool stopping_ = false;
};

}  // namespace fairlead::proxy
