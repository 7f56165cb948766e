#include "sql/shape_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sql/classify.h"

namespace fairlead::sql {
namespace {

Reason reason(ShapeCache& cache, std::string_view text, LexOptions options = {}) {
  return cache.find(text, options).facts->reason;
}

TEST(ShapeCache, ClassifiesAShapeOnce) {
  ShapeCache cache;
  const QueryFacts* const first = cache.find("SELECT * FROM t WHERE id = 1").facts.get();
  EXPECT_EQ(cache.find("select *  from T where ID = 'x' -- again").facts.get(), first);
  EXPECT_EQ(cache.counters().misses, 1u);
  EXPECT_EQ(cache.counters().hits, 1u);
  EXPECT_NE(cache.find("SELECT * FROM u WHERE id = 1").facts.get(), first);
}

TEST(ShapeCache, DoesNotMixUpTextsOfDifferentClass) {
  ShapeCache cache;
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(reason(cache, "SELECT 'x'"), Reason::kRead);
    EXPECT_EQ(reason(cache, "SELECT nextval('x')"), Reason::kVolatileFunction);
    EXPECT_EQ(reason(cache, "SELECT 1 FOR UPDATE"), Reason::kRowLock);
    EXPECT_EQ(reason(cache, "SELECT \"T\" FROM t"), Reason::kRead);
    EXPECT_EQ(reason(cache, "COPY t TO '/x'"), Reason::kCopyToFile);
    EXPECT_EQ(reason(cache, "COPY t TO STDOUT"), Reason::kRead);
  }
}

TEST(ShapeCache, SaysOfEachTextWhetherItHasAComment) {
  ShapeCache cache;
  EXPECT_FALSE(cache.find("SELECT 1").has_comment);
  EXPECT_TRUE(cache.find("SELECT 2 /* fairlead.route=primary */").has_comment);
  EXPECT_FALSE(cache.find("SELECT 3").has_comment);
  EXPECT_EQ(cache.counters().misses, 1u);
}

TEST(ShapeCache, KeepsTheValuesOfSetApart) {
  ShapeCache cache;
  EXPECT_EQ(cache.find("SET app.tenant = 'one'").facts->variables.at(0).value, "one");
  EXPECT_EQ(cache.find("SET app.tenant = 'two'").facts->variables.at(0).value, "two");
  EXPECT_EQ(cache.find("SET app.tenant  =  'one'").facts->variables.at(0).value, "one");
  EXPECT_EQ(cache.counters().hits, 1u);
}

TEST(ShapeCache, ShowsShapesWithoutAnyLiteral) {  // F54
  ShapeCache cache;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(cache.find("SELECT 'secret' FROM T").shape, "select ? from t");
    EXPECT_EQ(cache.find("SET app.key = 'secret'").shape, "set app.key = ?");
    EXPECT_EQ(cache.find("ALTER ROLE r PASSWORD 'secret'").shape, "alter role r password ?");
    EXPECT_EQ(cache.find("SELECT $1").shape, "select $1");
  }
}

TEST(ShapeCache, KnowsARepeatedTextByItsBytesAndHowTheyAreRead) {
  ShapeCache cache;
  const LexOptions off{.standard_conforming_strings = false};
  for (int round = 0; round < 4; ++round) {
    EXPECT_TRUE(cache.find("SELECT $1 /* a */").has_comment);
    EXPECT_FALSE(cache.find("SELECT $1").has_comment);
    EXPECT_FALSE(cache.find("select $1").has_comment);
    EXPECT_EQ(reason(cache, "SET x.y = 'a\\b'"), Reason::kSessionState);
    EXPECT_EQ(reason(cache, "SET x.y = 'a\\b'", off), Reason::kNonstandardStrings);
  }
  EXPECT_EQ(cache.counters().misses, 2u);
  EXPECT_EQ(cache.counters().hits, 14u);
}

TEST(ShapeCache, ForgetsRepeatedTextsWithTheirEntries) {
  ShapeCache cache({.entries_max = 4});
  for (int round = 0; round < 50; ++round) {
    for (const char* text : {"SELECT $1", "SELECT nextval($1)", "TABLE t"}) cache.find(text);
    cache.find("SELECT c" + std::to_string(round));
    cache.find("SELECT d" + std::to_string(round));
    EXPECT_EQ(reason(cache, "SELECT nextval($1)"), Reason::kVolatileFunction);
    EXPECT_EQ(reason(cache, "SELECT nextval($1)"), Reason::kVolatileFunction);
    if (round == 25) cache.clear();
  }
}

// The shape of both is one; only extract_set_config(text) may tell the values.
TEST(ShapeCache, LeavesSetConfigToTheText) {
  ShapeCache cache;
  for (const char* value : {"one", "two"}) {
    const std::string text = std::string("SELECT set_config('app.tenant', '") + value + "', false)";
    ASSERT_TRUE(cache.find(text).facts->calls_set_config);
    EXPECT_EQ(extract_set_config(text).at(0).value.text, value);
  }
  EXPECT_EQ(cache.counters().hits, 1u);
}

TEST(ShapeCache, DoesNotRememberByteOffsets) {
  ShapeCache cache;
  const auto begin = [&](std::string_view text) {
    return cache.find(text).facts->prepared.at(0).name_begin;
  };
  EXPECT_EQ(begin("EXECUTE p"), 8u);
  EXPECT_EQ(begin("  EXECUTE   p"), 12u);
  EXPECT_EQ(cache.entries(), 0u);
}

TEST(ShapeCache, DoesNotLetAnErrorPoisonAGoodTextOfTheSameShape) {
  ShapeCache cache;
  EXPECT_EQ(reason(cache, "SELECT interval 5"), Reason::kParseError);
  EXPECT_EQ(reason(cache, "SELECT interval '5 days'"), Reason::kRead);
  EXPECT_EQ(reason(cache, "SELECT 'unterminated"), Reason::kParseError);
  EXPECT_EQ(reason(cache, "SELECT 'good'"), Reason::kRead);
  EXPECT_EQ(reason(cache, "SELECT 'unterminated"), Reason::kParseError);
}

TEST(ShapeCache, KeepsStringsApartThatTheServerReadsDifferently) {
  ShapeCache cache;
  const LexOptions off{.standard_conforming_strings = false};
  EXPECT_EQ(reason(cache, "SELECT 'a\\b'"), Reason::kRead);
  EXPECT_EQ(reason(cache, "SELECT 'a\\b'", off), Reason::kNonstandardStrings);
  EXPECT_EQ(reason(cache, "SELECT 'a\\'', nextval('s') --'", off), Reason::kNonstandardStrings);
  EXPECT_EQ(reason(cache, "SELECT 'ab'", off), Reason::kRead);
  EXPECT_EQ(reason(cache, "SELECT 1", {.ascii_safe_encoding = false}), Reason::kClientEncoding);
}

TEST(ShapeCache, StaysWithinItsBounds) {
  ShapeCache cache({.entries_max = 100, .bytes_max = 1 << 20});
  for (int i = 0; i < 1000; ++i) cache.find("SELECT c" + std::to_string(i));
  EXPECT_LE(cache.entries(), 100u);
  EXPECT_GT(cache.counters().evictions, 800u);
  ShapeCache small({.entries_max = 100'000, .bytes_max = 128 * 1024});
  for (int i = 0; i < 1000; ++i) small.find("SELECT c" + std::to_string(i));
  EXPECT_LE(small.bytes(), 128u * 1024);
  EXPECT_GT(small.entries(), 10u);
}

TEST(ShapeCache, KeepsWhatIsUsedWhileOthersPassThrough) {
  ShapeCache cache({.entries_max = 100});
  cache.find("SELECT wanted");
  for (int i = 0; i < 1000; ++i) {
    cache.find("SELECT c" + std::to_string(i));
    cache.find("SELECT wanted");
  }
  EXPECT_EQ(cache.counters().hits, 1000u);
}

TEST(ShapeCache, ClassifiesLongShapesEachTime) {
  ShapeCache cache({.shape_bytes_max = 100});
  const std::string text = "SELECT " + std::string(200, 'a');
  EXPECT_EQ(reason(cache, text), Reason::kRead);
  EXPECT_EQ(reason(cache, text), Reason::kRead);
  EXPECT_EQ(cache.counters().uncacheable, 2u);
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(reason(cache, "SELECT '" + std::string(200, 'a') + "'"), Reason::kRead);
  EXPECT_EQ(cache.entries(), 1u);
}

TEST(ShapeCache, FactsOutliveTheirEntry) {
  ShapeCache cache({.entries_max = 2});
  const std::shared_ptr<const QueryFacts> kept = cache.find("SELECT f(1)").facts;
  for (int i = 0; i < 10; ++i) cache.find("SELECT c" + std::to_string(i));
  cache.clear();
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(kept->functions.at(0), "f");
}

TEST(ShapeCache, DecidesAnewForANewCatalog) {
  ShapeCache cache;
  const FunctionRow volatile_f[] = {{.name = "f", .volatility = 'v', .language = "sql"}};
  const FunctionRow stable_f[] = {{.name = "f", .volatility = 's', .language = "sql"}};
  const auto before = FunctionCatalog::build(volatile_f, 1);
  const auto after = FunctionCatalog::build(stable_f, 2);
  const auto& entry = cache.find("SELECT f()");
  EXPECT_EQ(cache.decide(entry, nullptr).reason, Reason::kCatalogLoading);
  EXPECT_EQ(cache.decide(entry, before.get()).reason, Reason::kVolatileFunction);
  EXPECT_EQ(cache.decide(entry, after.get()).reason, Reason::kRead);
  EXPECT_EQ(cache.decide(entry, after.get()).reason, Reason::kRead);
  EXPECT_EQ(cache.decide(entry, before.get()).reason, Reason::kVolatileFunction);
}

}  // namespace
}  // namespace fairlead::sql
