// The keys of the process itself: [listen], [proxy] and [auth].
#include <array>

#include "config/field.h"
#include "config/key_rows.h"

namespace fairlead::config {
namespace {

constexpr FileUse kReadable = FileUse::kReadable;

constexpr std::array kListen{
    declare<&Listen::host>({.name = "host",
                            .sentence = "The address that every port listens on; \"0.0.0.0\" or "
                                        "\"*\" for all of IPv4, \"::\" for all.",
                            .apply = kRestart}),
    declare<&Listen::port>({.name = "port",
                            .sentence = "Automatic routing: reads to replicas, all else to the "
                                        "primary. 0 lets the system pick a port.",
                            .apply = kRestart}),
    declare<&Listen::read_port>({.name = "read_port",
                                 .sentence = "Reads only, on replicas; refuses writes as a "
                                             "standby does. 0 lets the system pick.",
                                 .apply = kRestart}),
    declare<&Listen::primary_port>(
        {.name = "primary_port",
         .sentence = "The primary only, whatever the statement. 0 lets the system pick.",
         .apply = kRestart}),
    declare<&Listen::http_port>({.name = "http_port",
                                 .sentence =
                                     "Kept for metrics, health, the API and the "
                                     "dashboard; nothing listens there in this version, and "
                                     "no other port may be the same. 0: none.",
                                 .apply = kRestart}),
    declare<&Listen::tls_cert_file>({.name = "tls_cert_file",
                                     .sentence = "PEM file with the certificate chain shown to "
                                                 "clients; empty: no TLS to clients.",
                                     .apply = kRestart,
                                     .file = kReadable}),
    declare<&Listen::tls_key_file>({.name = "tls_key_file",
                                    .sentence = "PEM file with the private key of tls_cert_file.",
                                    .apply = kRestart,
                                    .file = kReadable}),
    declare<&Listen::tls_client_ca_file>(
        {.name = "tls_client_ca_file",
         .sentence = "PEM file with the authorities that client certificates must be signed by; "
                     "empty: none are asked for.",
         .apply = kRestart,
         .file = kReadable}),
    declare<&Listen::tls_min_version>({.name = "tls_min_version",
                                       .sentence = "The oldest TLS version that clients may use.",
                                       .apply = kRestart}),
};

constexpr std::array kProxy{
    declare<&Proxy::workers>({.name = "workers",
                              .sentence = "Threads that serve clients; every limit is shared by "
                                          "all of them. 0: one for two processors, four at most.",
                              .apply = kRestart,
                              .max = kWorkersMax}),
    declare<&Proxy::max_client_connections>(
        {.name = "max_client_connections",
         .sentence = "Clients at one time; one more is refused with SQLSTATE 53300.",
         .min = 1,
         .max = 1'000'000}),
    declare<&Proxy::shutdown_timeout>(
        {.name = "shutdown_timeout",
         .sentence = "How long running transactions may take to end after a stop was asked for.",
         .max = us(24h)}),
    declare<&Proxy::client_login_timeout>(
        {.name = "client_login_timeout",
         .sentence = "How long a client may take from connecting to the end of its login.",
         .min = us(100ms),
         .max = us(1h)}),
    declare<&Proxy::client_idle_timeout>(
        {.name = "client_idle_timeout",
         .sentence = "A client that is idle outside a transaction for longer, and keeps no server, "
                     "is disconnected; \"0s\": never."}),
    declare<&Proxy::idle_transaction_timeout>(
        {.name = "idle_transaction_timeout",
         .sentence = "A client that is idle for longer inside a transaction, or behind a pipeline "
                     "without its Sync, is disconnected with SQLSTATE 25P03 and rolled back; "
                     "\"0s\": never."}),
    declare<&Proxy::server_connect_timeout>(
        {.name = "server_connect_timeout",
         .sentence = "How long connecting and logging in to a node may take.",
         .min = us(10ms),
         .max = us(10min)}),
    declare<&Proxy::server_idle_timeout>(
        {.name = "server_idle_timeout",
         .sentence = "A server that nobody used for longer is closed; \"0s\": never."}),
    declare<&Proxy::server_lifetime>(
        {.name = "server_lifetime",
         .sentence =
             "A server older than this is closed as soon as no client has it; \"0s\": never."}),
    declare<&Proxy::tcp_keepalive>(
        {.name = "tcp_keepalive",
         .sentence = "A connection that was silent for so long is asked by TCP whether the other "
                     "host is still there, and ended when nothing comes back for as long again; "
                     "\"0s\": never. A change counts for new connections.",
         .max = us(1h)}),
    declare<&Proxy::min_servers>(
        {.name = "min_servers",
         .sentence = "Servers that each pool keeps open although nobody uses them.",
         .max = 10'000}),
    declare<&Proxy::prepared_statements_per_server>(
        {.name = "prepared_statements_per_server",
         .sentence = "Prepared statements kept on one server; the one unused for longest makes "
                     "room. A change counts for new servers.",
         .min = 1,
         .max = 100'000}),
    declare<&Proxy::segment_buffer_max>(
        {.name = "segment_buffer_max",
         .sentence = "How much of a pipeline up to its Sync is held while its route is decided; a "
                     "longer one goes to the primary. A change counts for new clients.",
         .min = 4096,
         .max = int64_t{1} << 30}),
    declare<&Proxy::retry_buffer_max>(
        {.name = "retry_buffer_max",
         .sentence = "How much of a read is kept so that it can be retried elsewhere; a longer one "
                     "is not retried.",
         .max = int64_t{1} << 30}),
    declare<&Proxy::log_level>(
        {.name = "log_level", .sentence = "The least level that is logged."}),
};

constexpr std::array kAuth{
    declare<&Auth::method>(
        {.name = "method", .sentence = "How clients prove who they are; trust believes them."}),
    declare<&Auth::users_file>(
        {.name = "users_file",
         .sentence = "File of users and their passwords or verifiers, one \"name\" \"secret\" a "
                     "line, as PgBouncer's userlist.txt.",
         .file = kReadable}),
    declare<&Auth::salt_key_file>(
        {.name = "salt_key_file",
         .sentence =
             "File of 32 random bytes or more, the same for every Fairlead with these users: "
             "what unknown users seem to have for a salt comes from it. Empty: it comes "
             "from users_file, and changes with that.",
         .file = kReadable}),
    declare<&Auth::auth_query>(
        {.name = "auth_query",
         .sentence = "SQL that returns a user's name and verifier for $1, asked of the primary."}),
};

}  // namespace

std::span<const Key> listen_keys() { return kListen; }
std::span<const Key> proxy_keys() { return kProxy; }
std::span<const Key> auth_keys() { return kAuth; }

}  // namespace fairlead::config
