// What Fairlead is told: the structs that a configuration file becomes.
//
// Plain values and nothing else. load.h makes a Config from text, environment and flags; validate.h
// says whether it makes sense; keys.h declares each key with its sentence, bounds and whether it
// can change without a restart. The defaults stand here, and everything that prints them (etc/
// fairlead.toml, docs/CONFIG.md) takes them from here.
//
// A Config is made once per start or reload and then shared as an immutable snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "config/units.h"
#include "sql/routing_lists.h"

namespace fairlead::config {

using namespace std::chrono_literals;

enum class TlsVersion : uint8_t { k12, k13 };

/// TLS to servers, with the meaning of libpq's sslmode. As in libpq, kRequire with a CA file
/// verifies like kVerifyCa.
enum class TlsMode : uint8_t { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };

/// Where the list of nodes and the first half of the evidence for their roles come from.
enum class TopologySource : uint8_t { kStatic, kPatroni };

enum class PoolMode : uint8_t { kTransaction, kSession };

/// kObserve: everything goes to the primary; what could have moved is reported.
enum class Mode : uint8_t { kSplit, kObserve };

/// What a read must be able to see (docs/CONSISTENCY.md), weakest first.
enum class Consistency : uint8_t { kEventual, kSession, kApp, kStrict };

enum class TransactionReads : uint8_t { kPrimary, kUntilWrite };

/// How a client learns that its last writes may be lost with the last primary.
enum class LostWrites : uint8_t { kWarning, kError };

enum class Balance : uint8_t { kLeastBusy, kRoundRobin, kRandom, kSticky };

enum class AuthMethod : uint8_t { kTrust, kScramSha256, kMd5, kCert };

/// What a server may ask Fairlead for, in the words of pg_hba.conf (F14). kScramSha256 is with and
/// without channel binding.
enum class ServerAuth : uint8_t { kTrust, kScramSha256, kMd5, kPassword };

/// [listen]: what clients connect to. Port 0: the system picks one, and the log says which.
struct Listen {
  std::string host = "127.0.0.1";
  uint16_t port = 6432;
  uint16_t read_port = 6433;
  uint16_t primary_port = 6434;
  uint16_t http_port = 8432;
  std::string tls_cert_file;  // Empty: no TLS to clients.
  std::string tls_key_file;
  std::string tls_client_ca_file;  // Empty: client certificates are not asked for.
  TlsVersion tls_min_version = TlsVersion::k12;

  bool operator==(const Listen&) const = default;
};

/// As many as a cancel key and a pool's set of waiting workers can name (core/pool_worker.h).
inline constexpr uint32_t kWorkersMax = 64;

/// [proxy]: the process. Every limit is shared by all workers. A timeout of 0 never expires.
struct Proxy {
  uint32_t workers = 0;  // 0: as many as core::workers_for() says.
  uint32_t max_client_connections = 10'000;
  Duration shutdown_timeout = 30s;
  Duration client_login_timeout = 60s;
  Duration client_idle_timeout = 0s;
  Duration idle_transaction_timeout = 0s;  // F52
  Duration server_connect_timeout = 5s;
  Duration server_idle_timeout = 10min;
  Duration server_lifetime = 1h;
  Duration tcp_keepalive = 60s;  // F56
  uint32_t min_servers = 0;
  uint32_t prepared_statements_per_server = 200;  // C12e
  Bytes segment_buffer_max{1 << 20};
  Bytes retry_buffer_max{64 << 10};
  log::Level log_level = log::Level::kInfo;

  bool operator==(const Proxy&) const = default;
};

/// [cluster.NAME]: a primary and its replicas. Roles are discovered, never configured.
struct Cluster {
  std::vector<NodeAddress> nodes;
  TopologySource topology = TopologySource::kStatic;
  std::vector<std::string> patroni_urls;
  std::string patroni_scope;  // Empty: whichever the URLs speak of, if it is one.
  std::string patroni_user;   // Empty: asked without credentials.
  Secret patroni_password;
  std::string patroni_password_file;                // Already read; kept to be shown.
  TlsMode patroni_tls_mode = TlsMode::kVerifyFull;  // Of URLs that begin with https.
  std::string patroni_tls_ca_file;
  Duration patroni_interval = 1s;
  Duration patroni_timeout = 2s;
  Duration patroni_ttl = 30s;  // E8, E33
  std::string monitor_user = "fairlead";
  Secret monitor_password;            // After load() also what monitor_password_file held.
  std::string monitor_password_file;  // Already read; kept to be shown.
  std::string monitor_database = "postgres";
  TlsMode tls_mode = TlsMode::kPrefer;
  std::string tls_ca_file;
  std::vector<ServerAuth> server_auth{ServerAuth::kTrust, ServerAuth::kScramSha256};  // F14
  Duration probe_interval = 500ms;
  Duration probe_timeout = 1s;
  uint32_t probe_failures = 3;
  std::vector<std::string> trusted_extensions;  // This and the next: sql/routing_lists.h.
  std::vector<std::string> replica_functions;
  std::vector<std::string> primary_functions;
  std::vector<std::string> replica_relations;
  std::vector<std::string> primary_relations;

  bool operator==(const Cluster&) const = default;
};

sql::RoutingLists routing_lists(const Cluster& cluster);
/// Whether its tls_mode makes sure that it is the server that answers.
bool verifies_servers(const Cluster& cluster);

/// [database."NAME"]: how clients of one database are served. NAME "*" stands for all others.
struct Database {
  std::string cluster = "main";
  std::string database;  // The name on the server; empty: the name that the client asked for.
  PoolMode pool_mode = PoolMode::kTransaction;
  uint32_t pool_size = 20;  // Servers per (node, database, user), over all workers.
  Duration pool_timeout = 5s;
  Mode mode = Mode::kSplit;
  Consistency consistency = Consistency::kApp;
  Duration max_lag = 10s;
  Duration freshness_wait = 20ms;
  TransactionReads transaction_reads = TransactionReads::kPrimary;
  Balance balance = Balance::kLeastBusy;
  bool primary_reads = false;
  Duration failover_hold = 30s;
  LostWrites lost_writes = LostWrites::kWarning;

  bool operator==(const Database&) const = default;
};

/// [user."NAME"]: what is different for one user, whatever database is asked for. nullopt: as the
/// database says.
struct UserOptions {
  std::optional<Consistency> consistency;
  std::optional<TransactionReads> transaction_reads;

  bool operator==(const UserOptions&) const = default;
};

/// The database as it is for one user; null: as it is for everybody.
Database for_user(Database database, const UserOptions* user);

/// Somebody who may log in.
struct User {
  std::string name;
  Secret password;
  bool operator==(const User&) const = default;
};

/// [auth]: who may connect.
struct Auth {
  AuthMethod method = AuthMethod::kScramSha256;
  std::string users_file;
  std::string salt_key_file;  // Empty: the key comes from what users_file says (F12).
  std::string auth_query;
  /// No key: the user of the connection URL, when Fairlead was started from URLs alone.
  std::vector<User> url_users;

  bool operator==(const Auth&) const = default;
};

/// Where a value came from; what is not in Config::origins is a default.
struct Origin {
  enum class Kind : uint8_t { kDefault, kUrl, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string where;  // "fairlead.toml:12", "FAIRLEAD_LISTEN_PORT", "--port"; empty for a default.

  bool operator==(const Origin&) const = default;
};

/// By full key: `listen.port`, `cluster.main.nodes`, `database."*".pool_size`.
using Origins = std::map<std::string, Origin, std::less<>>;

struct Config {
  Listen listen;
  Proxy proxy;
  std::map<std::string, Cluster, std::less<>> clusters;
  std::map<std::string, Database, std::less<>> databases;
  std::map<std::string, UserOptions, std::less<>> users;
  Auth auth;
  Origins origins;
  /// What load() met that nothing takes any notice of, a sentence each: for warnings().
  std::vector<std::string> ignored;

  /// The entry for the database that a client asked for: its own, else "*", else nullptr.
  const Database* find_database(std::string_view name) const;
  /// What is different for a user; nullptr: nothing.
  const UserOptions* find_user(std::string_view name) const;
  /// The cluster of that database. validate() has made sure that it exists.
  const Cluster& cluster_of(const Database& database) const;
};

// The word for each value, as the file has it.
std::string_view to_string(TlsVersion value);
std::string_view to_string(TlsMode value);
std::string_view to_string(TopologySource value);
std::string_view to_string(PoolMode value);
std::string_view to_string(Mode value);
std::string_view to_string(Consistency value);
std::string_view to_string(TransactionReads value);
std::string_view to_string(Balance value);
std::string_view to_string(LostWrites value);
std::string_view to_string(AuthMethod value);
std::string_view to_string(ServerAuth value);
std::string_view to_string(Origin::Kind value);

}  // namespace fairlead::config
