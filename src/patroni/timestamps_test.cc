#include "patroni/timestamps.h"

#include <gtest/gtest.h>

namespace fairlead::patroni {
namespace {

TEST(IsoTime, CountsTheZone) {
  EXPECT_EQ(parse_iso_time("1970-01-01T00:00:00+00:00"), 0);
  EXPECT_EQ(parse_iso_time("2026-11-27T08:54:03Z"), 1'795'769'643);
  EXPECT_EQ(parse_iso_time("2026-11-27T09:54:03+01:00"), 1'795'769'643);
  EXPECT_EQ(parse_iso_time("2026-11-27 03:24:03.999999-05:30"), 1'795'769'643);
}

TEST(IsoTime, IsNoneWithoutAZoneOrWithAnythingElse) {
  for (const char* text : {"", "now", "2026-11-27T08:54:03", "2026-11-27", "2026-02-30T00:00:00Z",
                           "2026-11-27T24:00:00Z", "2026-11-27T08:54:03+0100",
                           "2026-11-27T08:54:03Zx", "+026-11-27T08:54:03Z"})
    EXPECT_EQ(parse_iso_time(text), std::nullopt) << text;
}

TEST(HttpDate, IsReadInItsOnlyForm) {
  EXPECT_EQ(parse_http_date("Fri, 27 Nov 2026 08:54:03 GMT"), 1'795'769'643);
  for (const char* text : {"", "Fri, 27 Nov 2026 08:54:03", "Fri, 27 Foo 2026 08:54:03 GMT",
                           "Fri Nov 27 08:54:03 2026", "Fri, 27 Nov 2026 08:54:03 GMT "})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace fairlead::patroni
