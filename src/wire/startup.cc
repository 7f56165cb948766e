#include "wire/startup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "wire/body_reader.h"
#include "wire/frame_builder.h"
#include "wire/printable.h"

namespace fairlead::wire {
namespace {

constexpr uint32_t code(uint32_t major, uint32_t minor) { return major << 16 | minor; }

// Requests in place of a version use a major number that no version will ever have.
constexpr uint32_t kCancelCode = code(1234, 5678);
constexpr uint32_t kSslCode = code(1234, 5679);
constexpr uint32_t kGssEncCode = code(1234, 5680);

constexpr std::string_view kProtocolOptionPrefix = "_pq_.";

bool is_prefix_of(std::string_view value, std::string_view word) {
  return value.size() <= word.size() && std::equal(value.begin(), value.end(), word.begin(),
                                                   [](char a, char b) { return lower(a) == b; });
}

// PostgreSQL's parse_bool: any unambiguous beginning of the words, in any case.
std::optional<bool> parse_bool(std::string_view value) {
  if (value.empty()) return std::nullopt;
  if (value == "1" || is_prefix_of(value, "true") || is_prefix_of(value, "yes")) return true;
  if (value == "0" || is_prefix_of(value, "false") || is_prefix_of(value, "no")) return false;
  if (value.size() >= 2 && is_prefix_of(value, "on")) return true;
  if (value.size() >= 2 && is_prefix_of(value, "off")) return false;
  return std::nullopt;
}

Result<StartupPacket> decode_cancel(BodyReader& reader) {
  const uint32_t pid = reader.u32();
  const std::string_view secret = reader.rest();
  if (!reader.ok() || secret.size() < kCancelSecretMin || secret.size() > kCancelSecretMax)
    return fail(ErrorCode::kProtocolViolation, "invalid length of cancel request");
  return CancelRequest{.pid = pid, .secret = secret};
}

Result<StartupPacket> decode_message(uint16_t minor, BodyReader& reader) {
  StartupMessage message{.minor = minor};
  while (true) {
    const std::string_view name = reader.c_string();
    if (name.empty()) break;  // The terminator, or the end of the packet without one.
    const std::string_view value = reader.c_string();
    auto& list =
        name.starts_with(kProtocolOptionPrefix) ? message.protocol_options : message.parameters;
    list.push_back({name, value});
  }
  if (!reader.finished())
    return fail(ErrorCode::kProtocolViolation,
                "invalid startup packet layout: expected terminator as last byte");
  if (message.user().empty())
    return fail(ErrorCode::kInvalidAuthorization,
                "no PostgreSQL user name specified in startup packet");
  return message;
}

}  // namespace

std::optional<std::string_view> StartupMessage::find(std::string_view name) const {
  const auto last = std::find_if(parameters.rbegin(), parameters.rend(),
                                 [&](const Parameter& p) { return p.name == name; });
  if (last == parameters.rend()) return std::nullopt;
  return last->value;
}

std::string_view StartupMessage::user() const { return find("user").value_or(""); }

std::string_view StartupMessage::database() const {
  const std::string_view named = find("database").value_or("");
  return named.empty() ? user() : named;
}

std::string_view StartupMessage::options() const { return find("options").value_or(""); }

Result<Replication> StartupMessage::replication() const {
  const std::optional<std::string_view> value = find("replication");
  if (!value) return Replication::kNone;
  if (*value == "database") return Replication::kLogical;
  const std::optional<bool> physical = parse_bool(*value);
  if (!physical)
    return fail(
        ErrorCode::kInvalidParameterValue,
        fmt::format("invalid value for parameter \"replication\": \"{}\"", printable(*value)), "",
        "Valid values are: \"false\", 0, \"true\", 1, \"database\".");
  return *physical ? Replication::kPhysical : Replication::kNone;
}

Result<std::optional<size_t>> startup_length(std::string_view bytes) {
  if (bytes.size() < 4) return std::nullopt;
  const uint32_t length = load_u32(bytes.data());
  if (length < 4 + 4 || length > 4 + kStartupBodyMax)
    return fail(ErrorCode::kProtocolViolation,
                fmt::format("invalid length of startup packet: {}", length),
                fmt::format("legal lengths are 8 to {}", 4 + kStartupBodyMax),
                "Does the client speak PostgreSQL's protocol?");
  return length;
}

bool is_cancel_request(std::string_view body_after_length) {
  return body_after_length.size() >= 4 && load_u32(body_after_length.data()) == kCancelCode;
}

Result<StartupPacket> decode_startup(std::string_view body_after_length) {
  BodyReader reader(body_after_length);
  const uint32_t version = reader.u32();
  if (!reader.ok()) return fail(ErrorCode::kProtocolViolation, "incomplete startup packet");

  if (version == kCancelCode) return decode_cancel(reader);
  if (version == kSslCode || version == kGssEncCode) {
    if (!reader.finished())
      return fail(ErrorCode::kProtocolViolation, "invalid length of encryption request");
    if (version == kSslCode) return SslRequest{};
    return GssEncRequest{};
  }
  const auto major = static_cast<uint16_t>(version >> 16);
  const auto minor = static_cast<uint16_t>(version);
  if (major != kProtocolMajor)
    return fail(ErrorCode::kFeatureNotSupported,
                fmt::format("unsupported frontend protocol {}.{}: server supports 3.0 to 3.{}",
                            major, minor, kNewestMinor));
  return decode_message(minor, reader);
}

void append_startup_message(std::string& out, uint16_t minor,
                            std::span<const Parameter> parameters) {
  FrameBuilder frame(out);
  frame.u32(code(kProtocolMajor, minor));
  for (const auto& [name, value] : parameters) frame.c_string(name).c_string(value);
  frame.byte('\0');
}

void append_ssl_request(std::string& out) { FrameBuilder(out).u32(kSslCode); }

void append_cancel_request(std::string& out, uint32_t pid, std::string_view secret) {
  FrameBuilder(out).u32(kCancelCode).u32(pid).bytes(secret);
}

}  // namespace fairlead::wire
