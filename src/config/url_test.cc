#include "config/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(ConnectionUrl, HasEveryPart) {
  const auto url = ConnectionUrl::parse(
      "postgres://bob:s3cret@db1:6000/shop?sslmode=require&sslrootcert=/etc/ca.pem");
  ASSERT_TRUE(url);
  EXPECT_THAT(url->nodes, ElementsAre(NodeAddress{"db1", 6000}));
  EXPECT_EQ(url->user, "bob");
  EXPECT_EQ(url->password, Secret{"s3cret"});
  EXPECT_EQ(url->database, "shop");
  EXPECT_EQ(url->tls_mode, "require");
  EXPECT_EQ(url->tls_ca_file, "/etc/ca.pem");
}

TEST(ConnectionUrl, LeavesOutWhatItDoesNotSay) {
  const auto url = ConnectionUrl::parse("postgresql://db1");
  ASSERT_TRUE(url);
  EXPECT_THAT(url->nodes, ElementsAre(NodeAddress{"db1", 5432}));
  EXPECT_EQ(url->user, std::nullopt);
  EXPECT_EQ(url->password, std::nullopt);
  EXPECT_EQ(url->database, std::nullopt);
  EXPECT_EQ(url->tls_mode, std::nullopt);
}

TEST(ConnectionUrl, IsPercentDecoded) {
  const auto url = ConnectionUrl::parse("postgres://b%40b:p%3Aq%2fr%25@db1/my%20shop");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user, "b@b");
  EXPECT_EQ(url->password, Secret{"p:q/r%"});
  EXPECT_EQ(url->database, "my shop");
}

TEST(ConnectionUrl, KeepsAnAtSignOfAPassword) {
  const auto url = ConnectionUrl::parse("postgres://bob:p@ss@db1/shop");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->password, Secret{"p@ss"});
  EXPECT_THAT(url->nodes, ElementsAre(NodeAddress{"db1", 5432}));
}

TEST(ConnectionUrl, NamesSeveralHostsAsLibpqDoes) {
  const auto url = ConnectionUrl::parse("postgres://db1:1,[::1]:2,db3/shop");
  ASSERT_TRUE(url);
  EXPECT_THAT(url->nodes,
              ElementsAre(NodeAddress{"db1", 1}, NodeAddress{"::1", 2}, NodeAddress{"db3", 5432}));
}

TEST(ConnectionUrl, MayNameADriverAsSqlalchemyDoes) {
  EXPECT_TRUE(ConnectionUrl::parse("postgresql+asyncpg://db1/shop"));
}

TEST(ConnectionUrl, RefusesWhatIsNone) {
  for (const auto* text :
       {"", "db1", "mysql://db1", "postgres:/db1", "postgres://", "postgres://bob@",
        "postgres://db1:x", "postgres://db1,,db2", "postgres://b%4@db1", "postgres://b%zz@db1",
        "postgres://b%00@db1", "postgres://%2Ftmp/shop", "postgres://db1/x?sslmod=require",
        "postgres://db1/x?application_name=y"}) {
    EXPECT_FALSE(ConnectionUrl::parse(text)) << text;
  }
  EXPECT_FALSE(ConnectionUrl::parse("postgres://" + std::string(10'000, 'a')));
}

TEST(ConnectionUrl, NeverRepeatsAPasswordInAMessage) {
  for (const auto* text :
       {"postgres://bob:hunter2/x@db1/shop", "postgres://bob:hunter2", "mysql://bob:hunter2@db1",
        "postgres://bob:hunter2%@db1", "postgres://bob:hunter2@db1/shop?password=hunter2",
        "postgres://bob:hunter2@db1:x/shop"}) {
    const auto url = ConnectionUrl::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(describe(url.error()), Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace fairlead::config
