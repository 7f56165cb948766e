// Decodes arbitrary bytes as a start-up packet, and as the `options` parameter. What was accepted
// must survive being encoded and decoded again.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "wire/printable.h"
#include "wire/startup.h"
#include "wire/startup_options.h"

namespace {

using namespace fairlead::wire;
using fairlead::require;
using fairlead::Result;

void check_message(const StartupMessage& message) {
  require(!message.user().empty() && !message.database().empty(), "a user and a database");
  (void)message.replication();
  require(printable(message.user(), 40).size() <= 40, "printable keeps its limit");
  if (const auto settings = parse_options(message.options())) {
    for (const auto& [name, value] : *settings)
      require(!name.empty() && name.find('-') == std::string::npos, "a setting's name");
  }

  std::vector<Parameter> all = message.parameters;
  all.insert(all.end(), message.protocol_options.begin(), message.protocol_options.end());
  std::string again;
  append_startup_message(again, message.minor, all);
  const Result<StartupPacket> decoded = decode_startup(std::string_view(again).substr(4));
  require(decoded && std::get<StartupMessage>(*decoded) == message, "a round trip");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto length = startup_length(bytes);
  if (!length || !*length || **length > bytes.size()) return 0;

  const std::string_view packet = bytes.substr(0, **length);
  const Result<StartupPacket> decoded = decode_startup(packet.substr(4));
  if (!decoded) return 0;
  if (const auto* message = std::get_if<StartupMessage>(&*decoded)) check_message(*message);
  if (const auto* cancel = std::get_if<CancelRequest>(&*decoded)) {
    std::string again;
    append_cancel_request(again, cancel->pid, cancel->secret);
    require(again == packet, "a round trip");
  }
  return 0;
}
