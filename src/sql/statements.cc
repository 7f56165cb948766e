// One statement of each kind that PostgreSQL 15's grammar has: the routing table A10-A33. What is
// not in the table is not a read (A3).
#include <algorithm>
#include <array>

#include "sql/unit.h"

namespace fairlead::sql {
namespace {

enum Flag : uint8_t {
  kCatalog = 1 << 0,       // Caches of the catalog must be refreshed (A42).
  kOutsideBlock = 1 << 1,  // Refuses to run in a transaction block (B17).
  kOpaque = 1 << 2,        // May change session state in ways that cannot be seen (C4).
  kDrops = 1 << 3,
  kChanges = 1 << 4,       // The relations named directly are changed.
  kConcurrently = 1 << 5,  // With CONCURRENTLY it refuses to run in a transaction block.
  kSparesReads = 1 << 6,   // No read that was proven becomes anything else by it.
};

struct PlainStatement {
  std::string_view node;
  Reason reason;
  unsigned flags;
};

constexpr unsigned kSchemaChange = kCatalog | kChanges;

// Statements of which nothing has to be read but what they contain. Sorted by node.
constexpr std::array kPlainStatements{
    PlainStatement{"AlterCollationStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterDatabaseRefreshCollStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterDatabaseSetStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterDatabaseStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"AlterDefaultPrivilegesStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterDomainStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterEnumStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterEventTrigStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterExtensionContentsStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterExtensionStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterFdwStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterForeignServerStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterFunctionStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterObjectDependsStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterObjectSchemaStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"AlterOpFamilyStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterOperatorStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterOwnerStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"AlterPolicyStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"AlterPublicationStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterRoleSetStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterRoleStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterSeqStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"AlterStatsStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"AlterSubscriptionStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"AlterSystemStmt", Reason::kMaintenance, kOutsideBlock},
    PlainStatement{"AlterTSConfigurationStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterTSDictionaryStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterTableMoveAllStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterTableSpaceOptionsStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterTableStmt", Reason::kDdl, kSchemaChange | kConcurrently},
    PlainStatement{"AlterTypeStmt", Reason::kDdl, kCatalog},
    PlainStatement{"AlterUserMappingStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CallStmt", Reason::kProcedure, kOpaque},
    PlainStatement{"CheckPointStmt", Reason::kMaintenance, 0},
    PlainStatement{"CommentStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"CompositeTypeStmt", Reason::kDdl, kCatalog},
    PlainStatement{"ConstraintsSetStmt", Reason::kUtility, 0},
    PlainStatement{"CreateAmStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateCastStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateConversionStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateDomainStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateEnumStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateEventTrigStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateExtensionStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateFdwStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateForeignServerStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateForeignTableStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"CreateFunctionStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateOpClassStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateOpFamilyStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreatePLangStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreatePolicyStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"CreatePublicationStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"CreateRangeStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateRoleStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"CreateSchemaStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"CreateSeqStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"CreateStatsStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"CreateStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"CreateSubscriptionStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"CreateTableSpaceStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"CreateTransformStmt", Reason::kDdl, kCatalog},
    PlainStatement{"CreateTrigStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"CreateUserMappingStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"CreatedbStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"DefineStmt", Reason::kDdl, kCatalog},
    PlainStatement{"DeleteStmt", Reason::kWrite, 0},
    PlainStatement{"DoStmt", Reason::kProcedure, kOpaque},
    PlainStatement{"DropOwnedStmt", Reason::kDdl, kCatalog | kDrops | kSparesReads},
    PlainStatement{"DropRoleStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"DropStmt", Reason::kDdl, kCatalog | kDrops | kConcurrently | kSparesReads},
    PlainStatement{"DropSubscriptionStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"DropTableSpaceStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"DropUserMappingStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"DropdbStmt", Reason::kDdl, kCatalog | kOutsideBlock | kSparesReads},
    PlainStatement{"FetchStmt", Reason::kCursor, 0},
    PlainStatement{"GrantRoleStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"GrantStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"ImportForeignSchemaStmt", Reason::kDdl, kCatalog},
    PlainStatement{"IndexStmt", Reason::kDdl, kSchemaChange | kConcurrently | kSparesReads},
    PlainStatement{"InsertStmt", Reason::kWrite, 0},
    PlainStatement{"LoadStmt", Reason::kUtility, kOpaque},
    PlainStatement{"LockStmt", Reason::kLock, 0},
    PlainStatement{"MergeStmt", Reason::kWrite, 0},
    PlainStatement{"NotifyStmt", Reason::kNotify, 0},
    PlainStatement{"ReassignOwnedStmt", Reason::kDdl, kCatalog},
    PlainStatement{"RefreshMatViewStmt", Reason::kWrite, kChanges},
    PlainStatement{"RenameStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"RuleStmt", Reason::kDdl, kSchemaChange},
    PlainStatement{"SecLabelStmt", Reason::kDdl, kCatalog | kSparesReads},
    PlainStatement{"TruncateStmt", Reason::kWrite, kChanges},
    PlainStatement{"UpdateStmt", Reason::kWrite, 0},
    PlainStatement{"ViewStmt", Reason::kDdl, kSchemaChange},
};
static_assert(std::ranges::is_sorted(kPlainStatements, {}, &PlainStatement::node));

// What a command on an unknown node could do: anything (G1).
constexpr PlainStatement kUnknownStatement{"", Reason::kUtility,
                                           kCatalog | kOpaque | kDrops | kChanges};

bool has_true_member(const ParseTree& tree, size_t node, std::string_view key) {
  for (size_t i = node; i < tree[node].end; ++i)
    if (tree.key(i) == key && tree[i].text == "true") return true;
  return false;
}

/// Whatever its name stood for, it is only read there. Not a part of another table, whose writes
/// the other one's readers have to see.
bool makes_plain_table(const ParseTree& tree, size_t body, const PlainStatement& plain) {
  return plain.node == "CreateStmt" &&
         tree.text(tree.member(body, "relation"), "relpersistence") == "p" &&
         tree.member(body, "inhRelations") == ParseTree::kNone &&
         tree.member(body, "partbound") == ParseTree::kNone;
}

void read_plain(Unit& unit, size_t body, const PlainStatement& plain) {
  const size_t temp_objects_before = unit.temp_objects;
  const size_t temp_names_before = unit.temp_names;
  const bool decided = unit.facts.access == Access::kPrimary && !session_decides(unit.facts.reason);
  scan_tree(unit, body, (plain.flags & kChanges) != 0);
  const bool alters = (plain.flags & kCatalog) != 0;
  if (alters && (plain.flags & kDrops) == 0 && unit.temp_names > temp_names_before) {
    unit.pin(PinEvent::kTempObject);  // CREATE TABLE pg_temp.t
    ++unit.temp_objects;
  }
  const bool makes_temp = unit.temp_objects > temp_objects_before;
  if (!decided) {  // Its own kind says more than what the scan met inside it.
    unit.facts.access = Access::kPrimary;
    unit.facts.reason = makes_temp ? Reason::kTempObject : plain.reason;
  }
  // CREATE TEMP TABLE is frequent and changes what its own session sees only. What is named pg_temp
  // may be a function, so that counts.
  if (alters && (!makes_temp || unit.temp_names > temp_names_before)) {
    unit.facts.changes_catalog = true;
    if ((plain.flags & kSparesReads) == 0 && !makes_plain_table(unit.tree, body, plain))
      unit.facts.may_unprove_reads = true;
  }
  if ((plain.flags & kOpaque) != 0) unit.facts.opaque_side_effects = true;
  if ((plain.flags & kDrops) != 0) unit.pin(PinEvent::kDrop);
  if ((plain.flags & kOutsideBlock) != 0 ||
      ((plain.flags & kConcurrently) != 0 && has_true_member(unit.tree, body, "concurrent")))
    unit.facts.needs_no_transaction_block = true;
}

}  // namespace

void read_statement(Unit& unit, size_t wrapper) {
  const size_t body = unit.tree.first(wrapper);
  if (body == ParseTree::kNone) return read_plain(unit, wrapper, kUnknownStatement);
  const std::string_view node = unit.tree.key(body);
  if (node == "SelectStmt") return scan_tree(unit, body, false);
  const auto* const found =
      std::ranges::lower_bound(kPlainStatements, node, {}, &PlainStatement::node);
  if (found != kPlainStatements.end() && found->node == node) {
    if (node == "LoadStmt") unit.pin(PinEvent::kLoad);
    if (node == "TruncateStmt") unit.facts.writes_unnamed = true;
    return read_plain(unit, body, *found);
  }
  if (!read_special_statement(unit, body)) read_plain(unit, body, kUnknownStatement);
}

}  // namespace fairlead::sql
