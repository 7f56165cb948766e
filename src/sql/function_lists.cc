#include "sql/function_lists.h"

#include <algorithm>
#include <array>

namespace fairlead::sql {
namespace {

using enum FunctionClass;

constexpr uint16_t bit(PinEvent event) { return static_cast<uint16_t>(event); }

// Why a name is where it is, beyond the words of the class:
//   random, clock_timestamp ...  VOLATILE because they differ from call to call, not because they
//   write. pg_current_xact_id           labelled STABLE, assigns a transaction id (25006 on a
//   replica). current_setting              a replica may differ in what no client has set.
//   inet_client_addr             shows the proxy's connection, which differs between servers.
//   pg_current_snapshot          transaction ids of a replica are of another moment.
//   pg_sequence_last_value       runs ahead on a replica, by what one WAL record covers (A52).
//   lo_export, pg_reload_conf ...  a replica would do it, on the wrong machine (G2).
// loread() and lo_open() are left to the catalog, which calls them VOLATILE: they work inside one
// transaction only.
// bernoulli() and system() are handlers of TABLESAMPLE, which nobody can call.
constexpr auto kReviewed = std::to_array<FunctionListing>({
    {"bernoulli", kVolatileReadSafe},
    {"clock_timestamp", kVolatileReadSafe},
    {"connectby", kDynamicSql},
    {"current_query", kVolatileReadSafe},
    {"current_setting", kSession},
    {"currval", kSession, bit(PinEvent::kSequenceRead)},
    {"gen_random_bytes", kVolatileReadSafe},
    {"gen_random_uuid", kVolatileReadSafe},
    {"gen_salt", kVolatileReadSafe},
    {"inet_client_addr", kSession},
    {"inet_client_port", kSession},
    {"inet_server_addr", kNode},
    {"inet_server_port", kNode},
    {"lastval", kSession, bit(PinEvent::kSequenceRead)},
    {"lo_export", kNode},
    {"lo_get", kVolatileReadSafe},
    {"lo_import", kNode},
    {"nextval", kWrites, bit(PinEvent::kSequenceValue)},
    {"pg_advisory_lock", kAdvisory, bit(PinEvent::kAdvisoryLock)},
    {"pg_advisory_lock_shared", kAdvisory, bit(PinEvent::kAdvisoryLock)},
    {"pg_advisory_unlock", kAdvisory, bit(PinEvent::kAdvisoryUnlock)},
    {"pg_advisory_unlock_all", kAdvisory, bit(PinEvent::kAdvisoryUnlockAll)},
    {"pg_advisory_unlock_shared", kAdvisory, bit(PinEvent::kAdvisoryUnlock)},
    {"pg_advisory_xact_lock", kAdvisory},
    {"pg_advisory_xact_lock_shared", kAdvisory},
    {"pg_available_extension_versions", kNode},
    {"pg_available_extensions", kNode},
    {"pg_available_wal_summaries", kNode},
    {"pg_backend_pid", kSession},
    {"pg_blocking_pids", kNode},
    {"pg_cancel_backend", kNode},
    {"pg_conf_load_time", kNode},
    {"pg_config", kNode},
    {"pg_copy_logical_replication_slot", kNode},
    {"pg_copy_physical_replication_slot", kNode},
    {"pg_create_logical_replication_slot", kNode},
    {"pg_create_physical_replication_slot", kNode},
    {"pg_current_logfile", kNode},
    {"pg_current_snapshot", kNode},
    {"pg_current_xact_id", kWrites},
    {"pg_current_xact_id_if_assigned", kSession},
    {"pg_cursor", kSession},
    {"pg_database_size", kVolatileReadSafe},
    {"pg_drop_replication_slot", kNode},
    {"pg_export_snapshot", kSession},
    {"pg_get_backend_memory_contexts", kNode},
    {"pg_get_replication_slots", kNode},
    {"pg_get_shmem_allocations", kNode},
    {"pg_get_wal_replay_pause_state", kNode},
    {"pg_get_wal_summarizer_state", kNode},
    {"pg_hba_file_rules", kNode},
    {"pg_ident_file_mappings", kNode},
    {"pg_indexes_size", kVolatileReadSafe},
    {"pg_is_in_recovery", kNode},
    {"pg_is_other_temp_schema", kSession},
    {"pg_is_wal_replay_paused", kNode},
    {"pg_jit_available", kNode},
    {"pg_last_committed_xact", kNode},
    {"pg_listening_channels", kSession},
    {"pg_lock_status", kNode},
    {"pg_log_backend_memory_contexts", kNode},
    {"pg_log_standby_snapshot", kNode},
    {"pg_logdir_ls", kNode},
    {"pg_my_temp_schema", kSession},
    {"pg_notification_queue_usage", kNode},
    {"pg_notify", kNotify},
    {"pg_partition_ancestors", kVolatileReadSafe},
    {"pg_partition_tree", kVolatileReadSafe},
    {"pg_postmaster_start_time", kNode},
    {"pg_prepared_statement", kSession},
    {"pg_prepared_xact", kNode},
    {"pg_promote", kNode},
    {"pg_relation_size", kVolatileReadSafe},
    {"pg_reload_conf", kNode},
    {"pg_rotate_logfile", kNode},
    {"pg_safe_snapshot_blocking_pids", kNode},
    {"pg_sequence_last_value", kNode},
    {"pg_show_all_file_settings", kNode},
    {"pg_show_all_settings", kSession},
    {"pg_sleep", kVolatileReadSafe},
    {"pg_sleep_for", kVolatileReadSafe},
    {"pg_sleep_until", kVolatileReadSafe},
    {"pg_sync_replication_slots", kNode},
    {"pg_table_size", kVolatileReadSafe},
    {"pg_tablespace_size", kVolatileReadSafe},
    {"pg_terminate_backend", kNode},
    {"pg_timezone_names", kNode},
    {"pg_total_relation_size", kVolatileReadSafe},
    {"pg_try_advisory_lock", kAdvisory, bit(PinEvent::kAdvisoryLock)},
    {"pg_try_advisory_lock_shared", kAdvisory, bit(PinEvent::kAdvisoryLock)},
    {"pg_try_advisory_xact_lock", kAdvisory},
    {"pg_try_advisory_xact_lock_shared", kAdvisory},
    {"pg_wal_summary_contents", kNode},
    {"pg_walfile_name", kNode},
    {"pg_walfile_name_offset", kNode},
    {"pg_xact_commit_timestamp", kVolatileReadSafe},
    {"pg_xact_commit_timestamp_origin", kVolatileReadSafe},
    {"pg_xact_status", kVolatileReadSafe},
    {"random", kVolatileReadSafe},
    {"random_normal", kVolatileReadSafe},
    {"set_config", kSession},
    {"setseed", kSession},
    {"setval", kWrites, bit(PinEvent::kSequenceValue)},
    {"system", kVolatileReadSafe},
    {"timeofday", kVolatileReadSafe},
    {"ts_rewrite", kDynamicSql},
    {"ts_stat", kDynamicSql},
    {"txid_current", kWrites},
    {"txid_current_if_assigned", kSession},
    {"txid_current_snapshot", kNode},
    {"txid_status", kVolatileReadSafe},
    {"uuid_generate_v1", kVolatileReadSafe},
    {"uuid_generate_v1mc", kVolatileReadSafe},
    {"uuid_generate_v4", kVolatileReadSafe},
    {"uuidv4", kVolatileReadSafe},
    {"uuidv7", kVolatileReadSafe},
    {"xpath_table", kDynamicSql},
});
static_assert(std::ranges::is_sorted(kReviewed, {}, &FunctionListing::name));

struct Family {
  std::string_view prefix;
  FunctionClass function_class;
};

// Families that grow with each PostgreSQL version or extension: a new member must not be a read by
// accident. Names on the list above come first.
constexpr auto kFamilies = std::to_array<Family>({
    {"binary_upgrade_", kNode},
    {"crosstab", kDynamicSql},
    {"cursor_to_xml", kDynamicSql},
    {"database_to_xml", kDynamicSql},
    {"dblink", kDynamicSql},
    {"pg_advisory_", kAdvisory},
    {"pg_buffercache", kNode},
    {"pg_control_", kNode},
    {"pg_current_wal_", kNode},
    {"pg_file_", kNode},
    {"pg_last_", kNode},
    {"pg_logical_slot_", kNode},
    {"pg_ls_", kNode},
    {"pg_prewarm", kNode},
    {"pg_read_", kNode},
    {"pg_replication_", kNode},
    {"pg_stat_", kNode},
    {"pg_try_advisory_", kAdvisory},
    {"pg_wal_replay_", kNode},
    {"query_to_xml", kDynamicSql},
    {"schema_to_xml", kDynamicSql},
    {"table_to_xml", kDynamicSql},
});

// Extensions of PostgreSQL's own distribution, and the two that most applications use, whose C
// functions carry the right labels. Left out because they act on a node, run SQL or write:
// adminpack, amcheck, dblink, file_fdw, lo, old_snapshot, pageinspect, pg_buffercache,
// pg_freespacemap, pg_prewarm, pg_stat_statements, pg_surgery, pg_visibility, pg_walinspect,
// pgrowlocks, pgstattuple, postgres_fdw, sslinfo, tablefunc, xml2.
constexpr std::array<std::string_view, 23> kReviewedExtensions{
    "bloom",    "btree_gin", "btree_gist",    "citext",          "cube",
    "dict_int", "dict_xsyn", "earthdistance", "fuzzystrmatch",   "hstore",
    "intagg",   "intarray",  "isn",           "ltree",           "pg_trgm",
    "pgcrypto", "postgis",   "seg",           "tsm_system_rows", "tsm_system_time",
    "unaccent", "uuid-ossp", "vector",
};

static_assert(std::ranges::is_sorted(kReviewedExtensions));

}  // namespace

std::span<const FunctionListing> reviewed_functions() { return kReviewed; }

FunctionListing classify_function(std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kReviewed, name, {}, &FunctionListing::name);
  if (found != kReviewed.end() && found->name == name) return *found;
  for (const Family& family : kFamilies)
    if (name.starts_with(family.prefix)) return {name, family.function_class};
  return {name, kOrdinary};
}

Reason reason_for(FunctionClass function_class) {
  switch (function_class) {
    case kOrdinary:
    case kVolatileReadSafe:
      return Reason::kRead;
    case kWrites:
      return Reason::kVolatileFunction;
    case kSession:
      return Reason::kSessionFunction;
    case kNode:
      return Reason::kNodeFunction;
    case kDynamicSql:
      return Reason::kDynamicSqlFunction;
    case kAdvisory:
      return Reason::kAdvisoryLock;
    case kNotify:
      return Reason::kNotify;
  }
  return Reason::kUtility;
}

bool reads_stored_data(std::string_view name) {
  constexpr std::array<std::string_view, 13> kNames{
      "lo_get",
      "lo_open",
      "loread",
      "pg_database_size",
      "pg_indexes_size",
      "pg_relation_size",
      "pg_table_size",
      "pg_tablespace_size",
      "pg_total_relation_size",
      "pg_xact_commit_timestamp",
      "pg_xact_commit_timestamp_origin",
      "pg_xact_status",
      "txid_status",
  };
  static_assert(std::ranges::is_sorted(kNames));
  return std::ranges::binary_search(kNames, name);
}

bool is_reviewed_extension(std::string_view extension) {
  return std::ranges::binary_search(kReviewedExtensions, extension);
}

bool reads_unnamed_tables(std::string_view extension) {
  constexpr std::array<std::string_view, 4> kNames{"address_standardizer", "pgrouting",
                                                   "postgis_raster", "tablefunc"};
  static_assert(std::ranges::is_sorted(kNames));
  return std::ranges::binary_search(kNames, extension);
}

}  // namespace fairlead::sql
