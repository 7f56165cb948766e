#include "core/prepared.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::core {
namespace {

constexpr HashKey kTextKey{.low = 1, .high = 2};

TEST(PreparedStatement, DiffersByTextTypesKindAndKey) {
  const PreparedStatement base(kTextKey, PreparedKind::kProtocol, "SELECT $1", "");
  EXPECT_EQ(base.hash(),
            PreparedStatement(kTextKey, PreparedKind::kProtocol, "SELECT $1", "").hash());
  EXPECT_NE(base.hash(),
            PreparedStatement(kTextKey, PreparedKind::kProtocol, "SELECT $2", "").hash());
  EXPECT_NE(base.hash(), PreparedStatement(kTextKey, PreparedKind::kSql, "SELECT $1", "").hash());
  EXPECT_NE(base.hash(), PreparedStatement(kTextKey, PreparedKind::kProtocol, "SELECT $1",
                                           std::string("\0\0\0\x17", 4))
                             .hash());
  EXPECT_NE(
      base.hash(),
      PreparedStatement({.low = 9, .high = 2}, PreparedKind::kProtocol, "SELECT $1", "").hash());
}

TEST(ServerStatementName, IsThePrefixAndAllBitsOfTheKey) {
  EXPECT_EQ(ServerStatementName({.low = 0x0123456789abcdef, .high = 0xfedcba9876543210}).view(),
            "fl_fedcba98765432100123456789abcdef");
  EXPECT_EQ(ServerStatementName({.low = 0, .high = 0}).view().size(), 35u);
}

TEST(PrepareSql, NamesTheServersStatement) {
  const ServerStatementName name({.low = 0, .high = 0});
  const std::string server_name(name.view());
  EXPECT_EQ(prepare_sql({kTextKey, PreparedKind::kSql, "SELECT $1 -- one", "(int)"}, name),
            "PREPARE " + server_name + " (int) AS SELECT $1 -- one");
  EXPECT_EQ(prepare_sql({kTextKey, PreparedKind::kSql, "SELECT 1", ""}, name),
            "PREPARE " + server_name + "  AS SELECT 1");
}

TEST(StatementRegistry, GivesClientsWithTheSameTextTheSameStatement) {
  StatementRegistry registry(kTextKey);
  const auto first = registry.intern(PreparedKind::kProtocol, "SELECT 1", "");
  EXPECT_EQ(first, registry.intern(PreparedKind::kProtocol, "SELECT 1", ""));
  EXPECT_NE(first, registry.intern(PreparedKind::kSql, "SELECT 1", ""));
  EXPECT_EQ(first->query(), "SELECT 1");
}

TEST(StatementRegistry, MakesAStatementAgainAfterItsLastClientHasGone) {
  StatementRegistry registry(kTextKey);
  auto first = registry.intern(PreparedKind::kProtocol, "SELECT 1", "");
  const Hash128 hash = first->hash();
  first.reset();
  const auto again = registry.intern(PreparedKind::kProtocol, "SELECT 1", "");
  EXPECT_EQ(again->hash(), hash);
  EXPECT_EQ(registry.size(), 1u);
}

TEST(StatementRegistry, DoesNotGrowWithStatementsThatNobodyHas) {
  StatementRegistry registry(kTextKey);
  std::vector<PreparedPtr> kept;
  for (int i = 0; i < 100; ++i)
    kept.push_back(registry.intern(PreparedKind::kProtocol, "keep " + std::to_string(i), ""));
  for (int i = 0; i < 100'000; ++i)
    registry.intern(PreparedKind::kProtocol, "SELECT " + std::to_string(i), "");
  EXPECT_LE(registry.size(), 202u);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(kept[static_cast<size_t>(i)],
              registry.intern(PreparedKind::kProtocol, "keep " + std::to_string(i), ""));
}

}  // namespace
}  // namespace fairlead::core
