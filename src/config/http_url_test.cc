#include "config/http_url.h"

#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

TEST(HttpUrl, SaysWhereToAsk) {
  EXPECT_EQ(HttpUrl::parse("http://db1:8009"), (HttpUrl{false, "db1", 8009, ""}));
  EXPECT_EQ(HttpUrl::parse("https://db1"), (HttpUrl{true, "db1", 8008, ""}));
  EXPECT_EQ(HttpUrl::parse("http://[::1]:8008/"), (HttpUrl{false, "::1", 8008, ""}));
  EXPECT_EQ(HttpUrl::parse("http://[::1]"), (HttpUrl{false, "::1", 8008, ""}));
  EXPECT_EQ(HttpUrl::parse("https://lb:443/pg/main/"), (HttpUrl{true, "lb", 443, "/pg/main"}));
  EXPECT_EQ(HttpUrl::parse("http://10.0.0.1:8008/patroni"), (HttpUrl{false, "10.0.0.1", 8008, ""}))
      << "as Patroni prints its api_url";
}

TEST(HttpUrl, ReadsWhatItPrints) {
  for (const char* text : {"http://db1:8008", "https://[::1]:443/a/b"})
    EXPECT_EQ(HttpUrl::parse(text)->to_string(), text);
}

TEST(HttpUrl, RefusesEverythingElseAndRepeatsNoPassword) {
  for (const char* text : {"", "db1:8008", "ftp://db1", "http://", "http://:8008", "http://db1:0x1",
                           "http://db1:8008?x=1", "http://db1:8008/#x", "http://db 1:8008",
                           "http://db1:99999", "http://u:geheim@db1:8008"}) {
    const auto url = HttpUrl::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(describe(url.error()).find("geheim"), std::string::npos);
    EXPECT_FALSE(url.error().hint.empty()) << text;
  }
}

}  // namespace
}  // namespace fairlead::config
