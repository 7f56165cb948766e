// Any bytes are an answer of Patroni's REST API, or an error that says why not.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "patroni/answers.h"
#include "patroni/timestamps.h"

using namespace fairlead;
using namespace fairlead::patroni;

namespace {

void check_cluster(std::string_view body) {
  const auto answer = parse_cluster(body);
  if (!answer) return require(!answer.error().detail.empty(), "a refusal says why");
  require(answer->members.size() <= kMembersMax, "the limit holds");
  for (const Member& member : answer->members) {
    require(!member.name.empty(), "every member has a name");
    require(!member.is_leader || answer->leader() == &member, "one member leads");
    require(!member.address || member.address->port != 0, "an address can be dialled");
  }
}

void check_history(std::string_view body) {
  const auto history = parse_history(body);
  if (!history || !*history) return;
  uint32_t last = 0;
  for (const core::TimelineSwitch& left : (*history)->ancestors) {
    require(left.timeline > last, "timelines rise");
    last = left.timeline;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_cluster(text);
  (void)parse_status(text);
  check_history(text);
  (void)parse_iso_time(text);
  (void)parse_http_date(text);
  return 0;
}
