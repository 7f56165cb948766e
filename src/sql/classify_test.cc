// The routing table as a table: a statement, whether it is a read, and why not. Rule numbers stand
// beside the traps.
#include "sql/classify.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sql/classify_cases_commands.h"
#include "sql/classify_cases_queries.h"

namespace fairlead::sql {
namespace {

std::vector<ClassifyCase> table() {
  std::vector<ClassifyCase> all(std::begin(kClassifyQueries), std::end(kClassifyQueries));
  all.insert(all.end(), std::begin(kClassifyCommands), std::end(kClassifyCommands));
  return all;
}

TEST(Classify, PutsEveryStatementOfTheTableWhereItBelongs) {
  size_t cases = 0;
  for (const ClassifyCase& c : table()) {
    const QueryFacts facts = classify(c.text);
    EXPECT_EQ(reason_name(facts.reason), reason_name(c.reason)) << c.text;
    const bool read = c.reason == Reason::kRead || c.reason == Reason::kEmpty;
    EXPECT_EQ(facts.access, read ? Access::kRead : Access::kPrimary) << c.text;
    ++cases;
  }
  EXPECT_GE(cases, 250u);
}

// A reader of the table must not find a read that becomes one because its end was cut off.
TEST(Classify, SurvivesEveryTruncationOfTheTable) {
  for (const ClassifyCase& c : table()) {
    const std::string_view text = c.text;
    for (size_t size = 0; size < text.size(); size += 3) classify(text.substr(0, size));
  }
}

TEST(Classify, SurvivesAMegabyteOfBrackets) {
  for (const char bracket : {'(', '[', '{', '-', '+'}) {
    const QueryFacts facts = classify("SELECT " + std::string(1'000'000, bracket));
    EXPECT_EQ(facts.access, Access::kPrimary);
    EXPECT_EQ(facts.reason, Reason::kTooLarge);
  }
}

TEST(Classify, SurvivesDeepTreesOfEveryKindBelowTheSizeLimit) {
  const auto repeat = [](std::string_view part, size_t count) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += part;
    return all;
  };
  const std::string texts[] = {
      "SELECT " + repeat("(", 60'000) + "1" + repeat(")", 60'000),
      "SELECT 1" + repeat("+1", 100'000),
      "SELECT " + repeat("NOT ", 60'000) + "true",
      "SELECT 1,2" + repeat(" UNION SELECT 1,2", 14'000),
      "SELECT * FROM a" + repeat(" JOIN b USING (c,d)", 12'000),
      "SELECT " + repeat("f(a,", 50'000) + "1" + repeat(")", 50'000),
      "SELECT " + repeat("CASE WHEN a THEN ", 10'000) + "1" + repeat(" END", 10'000),
      "SELECT " + repeat("a BETWEEN 1 AND NOT ", 12'000) + "b",
  };
  for (const std::string& text : texts) {
    ASSERT_LT(text.size(), kClassifyBytesMax);
    EXPECT_EQ(classify(text).reason, Reason::kTooLarge) << text.substr(0, 40);
  }
}

TEST(Classify, ReadsLongFlatListsInFull) {
  std::string in = "SELECT * FROM t WHERE id IN (0";
  for (int i = 1; i < 20'000; ++i) in += "," + std::to_string(i);
  EXPECT_EQ(classify(in + ")").reason, Reason::kRead);
  std::string rows = "INSERT INTO t VALUES (0)";
  for (int i = 1; i < 20'000; ++i) rows += ",(1)";
  EXPECT_EQ(classify(rows).reason, Reason::kWrite);
}

TEST(Classify, SendsWhatIsTooLongToThePrimary) {
  const std::string literal(kClassifyBytesMax, 'x');
  const QueryFacts facts = classify("SELECT '" + literal + "'");
  EXPECT_EQ(facts.reason, Reason::kTooLarge);
  EXPECT_TRUE(facts.opaque_side_effects);
}

TEST(Classify, DoesNotTrustStringsThatTheServerReadsDifferently) {  // A1
  const LexOptions off{.standard_conforming_strings = false};
  EXPECT_EQ(classify("SELECT 'a\\'', nextval('s') --'", off).reason, Reason::kNonstandardStrings);
  EXPECT_EQ(classify("SELECT 'a'", off).reason, Reason::kRead);
  EXPECT_EQ(classify("SELECT E'a\\n'", off).reason, Reason::kRead);
  EXPECT_EQ(classify("SELECT 1", {.ascii_safe_encoding = false}).reason, Reason::kClientEncoding);
}

TEST(Classify, SendsATextWithAZeroByteToThePrimary) {
  EXPECT_EQ(classify(std::string_view("SELECT 1\0; DELETE FROM t", 24)).reason,
            Reason::kParseError);
}

TEST(Classify, TakesAnyBytes) {
  for (const char* text :
       {"\xff\xfe", "SELECT '\xff'", "SELECT \"\xc3\x28\" FROM \x80", "\xed\xa0\x80"})
    classify(text);
  EXPECT_EQ(classify("SELECT \xc3\xa4 FROM \xc3\xb6").reason, Reason::kRead);
}

// A parse error could be anything on a newer server (A3), so nothing may be assumed afterwards.
TEST(Classify, AssumesTheWorstOfWhatItCannotParse) {
  const QueryFacts facts = classify("SELEC 1");
  EXPECT_EQ(facts.access, Access::kPrimary);
  EXPECT_TRUE(facts.opaque_side_effects);
  EXPECT_TRUE(facts.changes_catalog);
  EXPECT_FALSE(facts.empty());
}

}  // namespace
}  // namespace fairlead::sql
