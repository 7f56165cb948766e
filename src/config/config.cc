// Look-ups in a Config, and the words of its enumerations.
#include "config/config.h"

#include "base/assert.h"
#include "config/enum_names.h"

namespace fairlead::config {

const Database* Config::find_database(std::string_view name) const {
  auto found = databases.find(name);
  if (found == databases.end()) found = databases.find("*");
  return found == databases.end() ? nullptr : &found->second;
}

const UserOptions* Config::find_user(std::string_view name) const {
  const auto found = users.find(name);
  return found == users.end() ? nullptr : &found->second;
}

Database for_user(Database database, const UserOptions* user) {
  if (user == nullptr) return database;
  database.consistency = user->consistency.value_or(database.consistency);
  database.transaction_reads = user->transaction_reads.value_or(database.transaction_reads);
  return database;
}

const Cluster& Config::cluster_of(const Database& database) const {
  const auto found = clusters.find(database.cluster);
  require(found != clusters.end(), "a validated database names a cluster that exists");
  return found->second;
}

sql::RoutingLists routing_lists(const Cluster& cluster) {
  return {.trusted_extensions = cluster.trusted_extensions,
          .replica_functions = cluster.replica_functions,
          .primary_functions = cluster.primary_functions,
          .replica_relations = cluster.replica_relations,
          .primary_relations = cluster.primary_relations};
}

bool verifies_servers(const Cluster& cluster) {
  const bool has_ca = cluster.tls_mode == TlsMode::kRequire && !cluster.tls_ca_file.empty();
  return has_ca || cluster.tls_mode >= TlsMode::kVerifyCa;
}

std::string_view to_string(TlsVersion value) { return word_of(value); }
std::string_view to_string(TlsMode value) { return word_of(value); }
std::string_view to_string(TopologySource value) { return word_of(value); }
std::string_view to_string(PoolMode value) { return word_of(value); }
std::string_view to_string(Mode value) { return word_of(value); }
std::string_view to_string(Consistency value) { return word_of(value); }
std::string_view to_string(TransactionReads value) { return word_of(value); }
std::string_view to_string(Balance value) { return word_of(value); }
std::string_view to_string(LostWrites value) { return word_of(value); }
std::string_view to_string(AuthMethod value) { return word_of(value); }
std::string_view to_string(ServerAuth value) { return word_of(value); }
std::string_view to_string(Origin::Kind value) { return word_of(value); }

}  // namespace fairlead::config
