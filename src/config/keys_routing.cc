// The keys of what is behind the proxy and how it is used: [cluster.NAME] and [database."NAME"].
#include <array>

#include "config/field.h"
#include "config/key_rows.h"

namespace fairlead::config {
namespace {

constexpr std::array kCluster{
    declare<&Cluster::nodes>(
        {.name = "nodes",
         .sentence = "Every node of the cluster, in any order: roles are discovered. With topology "
                     "patroni: those to begin with, or empty.",
         .restarts_with = "topology",
         .example = R"(["127.0.0.1:5601", "127.0.0.1:5602", "127.0.0.1:5603"])"}),
    declare<&Cluster::topology>(
        {.name = "topology",
         .sentence = "Whether the nodes are those listed, or those that Patroni names.",
         .apply = kRestart}),
    declare<&Cluster::patroni_urls>(
        {.name = "patroni_urls",
         .sentence = "Patroni's REST addresses, best those of all members: http://db1:8008.",
         .restarts_with = "topology"}),
    declare<&Cluster::patroni_scope>(
        {.name = "patroni_scope",
         .sentence = "The scope that Patroni must say it is; empty: any, but one.",
         .apply = kRestart}),
    declare<&Cluster::patroni_user>(
        {.name = "patroni_user",
         .sentence = "User for basic authentication at the REST addresses; empty: none.",
         .apply = kRestart}),
    declare<&Cluster::patroni_password>(
        {.name = "patroni_password",
         .sentence = "Its password; better as \"${VARIABLE}\" or in patroni_password_file.",
         .apply = kRestart,
         .secret = true}),
    declare<&Cluster::patroni_password_file>(
        {.name = "patroni_password_file",
         .sentence = "File that holds patroni_password; a line end at its end does not count.",
         .apply = kRestart,
         .file = FileUse::kSecret}),
    declare<&Cluster::patroni_tls_mode>(
        {.name = "patroni_tls_mode",
         .sentence = "How much https addresses must prove: require, verify-ca or verify-full.",
         .apply = kRestart}),
    declare<&Cluster::patroni_tls_ca_file>(
        {.name = "patroni_tls_ca_file",
         .sentence = "PEM file with the authorities of their certificates; empty: the system's.",
         .apply = kRestart,
         .file = FileUse::kReadable}),
    declare<&Cluster::patroni_interval>(
        {.name = "patroni_interval",
         .sentence = "How often each REST address is asked; at once when a node changes.",
         .apply = kRestart,
         .min = us(100ms),
         .max = us(1h)}),
    declare<&Cluster::patroni_timeout>({.name = "patroni_timeout",
                                        .sentence = "How long an answer of Patroni may take.",
                                        .apply = kRestart,
                                        .min = us(10ms),
                                        .max = us(10min)}),
    declare<&Cluster::patroni_ttl>(
        {.name = "patroni_ttl",
         .sentence = "Patroni's own ttl. What it heard from its store before that is not believed, "
                     "and a primary that was out of sight for so long needs its word again.",
         .apply = kRestart,
         .min = us(1s),
         .max = us(1h)}),
    declare<&Cluster::monitor_user>(
        {.name = "monitor_user",
         .sentence = "The role that Fairlead's own probes log in as; it needs pg_monitor.",
         .apply = kRestart}),
    declare<&Cluster::monitor_password>(
        {.name = "monitor_password",
         .sentence = "Its password; better as \"${VARIABLE}\" or in monitor_password_file.",
         .apply = kRestart,
         .secret = true}),
    declare<&Cluster::monitor_password_file>(
        {.name = "monitor_password_file",
         .sentence = "File that holds monitor_password; a line end at its end does not count.",
         .apply = kRestart,
         .file = FileUse::kSecret}),
    declare<&Cluster::monitor_database>({.name = "monitor_database",
                                         .sentence = "The database that the probes connect to.",
                                         .apply = kRestart}),
    declare<&Cluster::tls_mode>(
        {.name = "tls_mode",
         .sentence = "TLS to the nodes, with the meaning of libpq's sslmode.",
         .apply = kRestart}),
    declare<&Cluster::tls_ca_file>(
        {.name = "tls_ca_file",
         .sentence = "PEM file with the authorities that the nodes' certificates must be signed "
                     "by; with tls_mode require and above.",
         .apply = kRestart,
         .file = FileUse::kReadable}),
    declare<&Cluster::server_auth>(
        {.name = "server_auth",
         .sentence =
             "What the nodes may ask Fairlead for when it logs in, as pg_hba.conf calls it; "
             "md5 also where the stored secret is an md5 hash. With md5 and password, who "
             "answers in the place of a node learns what logs in.",
         .apply = kRestart}),
    declare<&Cluster::probe_interval>({.name = "probe_interval",
                                       .sentence = "How often each node is asked how it is.",
                                       .apply = kRestart,
                                       .min = us(10ms),
                                       .max = us(1h)}),
    declare<&Cluster::probe_timeout>({.name = "probe_timeout",
                                      .sentence = "How long an answer may take before it counts "
                                                  "as a failure.",
                                      .apply = kRestart,
                                      .min = us(10ms),
                                      .max = us(10min)}),
    declare<&Cluster::probe_failures>({.name = "probe_failures",
                                       .sentence =
                                           "Probes without an answer in a row after which a "
                                           "node counts as down; of refusals two are enough.",
                                       .apply = kRestart,
                                       .min = 1,
                                       .max = 100}),
    declare<&Cluster::trusted_extensions>(
        {.name = "trusted_extensions",
         .sentence = "Extensions in C that never write but where their labels say so, nor read "
                     "tables that they are not given, besides those that Fairlead knows.",
         .apply = kRestart}),
    declare<&Cluster::replica_functions>(
        {.name = "replica_functions",
         .sentence = "Functions that replicas may run whatever their labels say, by name without "
                     "schema; * stands for any characters.",
         .apply = kRestart}),
    declare<&Cluster::primary_functions>(
        {.name = "primary_functions",
         .sentence = "Functions whose calls go to the primary, whatever else is known; written in "
                     "the same way.",
         .apply = kRestart}),
    declare<&Cluster::replica_relations>(
        {.name = "replica_relations",
         .sentence = "Foreign tables that replicas may read; written in the same way.",
         .apply = kRestart}),
    declare<&Cluster::primary_relations>(
        {.name = "primary_relations",
         .sentence = "Tables and views whose reads go to the primary, also through views and "
                     "partitioned tables; written in the same way.",
         .apply = kRestart}),
};

constexpr std::array kDatabase{
    declare<&Database::cluster>({.name = "cluster", .sentence = "The cluster that serves it."}),
    declare<&Database::database>(
        {.name = "database",
         .sentence = "Its name on the server; empty: the name that the client asked for."}),
    declare<&Database::pool_mode>(
        {.name = "pool_mode",
         .sentence = "Whether a client keeps a server for a transaction, or for its session, which "
                     "then has all of its reads on the primary. A change counts for new clients."}),
    declare<&Database::pool_size>(
        {.name = "pool_size",
         .sentence = "Servers for each node, database and user, over all workers.",
         .min = 1,
         .max = 10'000}),
    declare<&Database::pool_timeout>(
        {.name = "pool_timeout",
         .sentence = "How long a client waits for a server; then SQLSTATE 53300. \"0s\": without "
                     "end.",
         .max = us(24h)}),
    declare<&Database::mode>({.name = "mode",
                              .sentence = "Split reads off, or only observe and report what could "
                                          "have moved."}),
    declare<&Database::consistency>(
        {.name = "consistency",
         .sentence = "What a read must be able to see (docs/CONSISTENCY.md), weakest first."}),
    declare<&Database::max_lag>(
        {.name = "max_lag", .sentence = "A replica further behind than this serves no reads."}),
    declare<&Database::freshness_wait>({.name = "freshness_wait",
                                        .sentence = "How long a read may wait for a replica to "
                                                    "catch up before it goes to the primary.",
                                        .max = us(1h)}),
    declare<&Database::transaction_reads>(
        {.name = "transaction_reads",
         .sentence = "Where reads inside a transaction go: the primary, or a replica until the "
                     "first write."}),
    declare<&Database::balance>(
        {.name = "balance", .sentence = "How one of several replicas is picked for a read."}),
    declare<&Database::primary_reads>(
        {.name = "primary_reads", .sentence = "Whether the primary takes its share of the reads."}),
    declare<&Database::failover_hold>(
        {.name = "failover_hold",
         .sentence = "How long writes wait while there is no primary.",
         .max = us(1h)}),
    declare<&Database::lost_writes>(
        {.name = "lost_writes",
         .sentence = "How a client is told, once, that its last writes may be lost with a primary "
                     "that another node has replaced."}),
};

constexpr std::array kUser{
    declare<&UserOptions::consistency>(
        {.name = "consistency", .sentence = "Instead of the database's; empty: as that says."}),
    declare<&UserOptions::transaction_reads>(
        {.name = "transaction_reads",
         .sentence = "Instead of the database's; empty: as that says."}),
};

}  // namespace

std::span<const Key> cluster_keys() { return kCluster; }
std::span<const Key> database_keys() { return kDatabase; }
std::span<const Key> user_keys() { return kUser; }

}  // namespace fairlead::config
