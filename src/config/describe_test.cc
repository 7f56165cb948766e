// The generated documents are the ones in the tree, and `config show` tells origins.
// FAIRLEAD_REGENERATE=1 writes them anew (make generate).
#include "config/describe.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "config/diff.h"
#include "config/testing.h"

namespace fairlead::config {
namespace {

using testing::HasSubstr;
using testing::Not;

void expect_tree_has(const std::string& path, const std::string& generated) {
  const std::string full = std::string(FAIRLEAD_SOURCE_DIR) + "/" + path;
  const char* regenerate = std::getenv("FAIRLEAD_REGENERATE");  // NOLINT(concurrency-mt-unsafe)
  if (regenerate != nullptr) std::ofstream(full) << generated;
  std::ifstream file(full);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(text == generated) << path << " is out of date: run make generate";
}

TEST(Reference, FileInTheTreeIsTheGeneratedOne) {
  expect_tree_has("etc/fairlead.toml", reference_toml());
}

TEST(Reference, PageInTheTreeIsTheGeneratedOne) {
  expect_tree_has("docs/CONFIG.md", reference_markdown());
}

TEST(Reference, FileIsReadAsTheDefaults) {
  const Config config = loaded(sources_of(reference_toml()));
  Config expected;
  expected.clusters["main"].nodes = {{"127.0.0.1", 5601}, {"127.0.0.1", 5602}, {"127.0.0.1", 5603}};
  expected.databases["*"];
  expected.users["reports"];
  EXPECT_TRUE(diff(expected, config).empty());
  EXPECT_EQ(config.origins.size(), describe(config).size()) << "a key is missing from the file";
}

TEST(Reference, PageNamesEveryKeyOnce) {
  const std::string page = reference_markdown();
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      EXPECT_THAT(page, HasSubstr("| `" + std::string(key.name) + "` |"));
    }
  }
}

TEST(Keys, AreDeclaredInFull) {
  for (const Section& section : sections()) {
    std::set<std::string_view> names;
    for (const Key& key : section.keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name << " is declared twice";
      EXPECT_TRUE(key.sentence.ends_with(".")) << key.name;
      EXPECT_EQ(key.sentence.find('|'), std::string_view::npos) << "it would break the table";
      EXPECT_EQ(key.file != FileUse::kNone, key.name.ends_with("_file")) << key.name;
    }
  }
}

TEST(Keys, HaveDefaultsThatTheirOwnReaderAccepts) {
  for (const Section& section : sections()) {
    Config config;
    for (const Key& key : section.keys) {
      std::string printed = key.print(default_section(section.id));
      if (printed.starts_with('"')) printed = printed.substr(1, printed.size() - 2);
      if (printed.starts_with('['))
        std::erase_if(printed, [](char c) { return c == '[' || c == ']' || c == '"'; });
      const auto ok = key.read(key, Text{printed}, section_in(config, section, "x"));
      EXPECT_TRUE(ok) << key.name << ": " << fairlead::describe(ok.error());
    }
  }
}

TEST(FullName, IsReadBackAsItWasPrinted) {
  for (const Section& section : sections()) {
    for (const char* name : {"main", "*", "a.b", "with space"}) {
      const KeyRef ref{&section, section.named() ? name : "", &section.keys.front()};
      const auto parsed = parse_full_name(full_name(ref));
      ASSERT_TRUE(parsed) << full_name(ref);
      EXPECT_EQ(parsed->name, ref.name);
      EXPECT_EQ(parsed->key, ref.key);
    }
  }
}

TEST(Show, TellsEachValueAndWhereItCameFrom) {
  Sources sources =
      sources_of(with_cluster("[proxy]\nworkers = 3"), {{"FAIRLEAD_LISTEN_HOST", "::"}});
  sources.flags = {{"listen.port", "7000", "--port"}};
  const std::string text = to_text(describe(loaded(sources)));
  EXPECT_THAT(text, testing::ContainsRegex("proxy.workers = 3 +# test.toml:2\n"));
  EXPECT_THAT(text, testing::ContainsRegex("listen.host = \"::\" +# FAIRLEAD_LISTEN_HOST\n"));
  EXPECT_THAT(text, testing::ContainsRegex("listen.port = 7000 +# --port\n"));
  EXPECT_THAT(text, testing::ContainsRegex("listen.read_port = 6433 +# default\n"));
}

TEST(Show, MasksSecrets) {
  const std::string text = to_text(
      describe(loaded(sources_of(std::string(kMinimal) + "monitor_password = \"hunter2\""))));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("monitor_password = \"***\""));
}

}  // namespace
}  // namespace fairlead::config
