// Checks of a ClusterSpec.
#include "cluster/spec.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cluster/layout.h"

namespace fairlead::cluster {

namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// NAMEDATALEN - 1: PostgreSQL cuts longer names off silently.
constexpr size_t kNameBytesMax = 63;

Result<void> check_name(std::string_view what, std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kNameBytesMax && name.front() >= 'a' && name.front() <= 'z' &&
      std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '_'; });
  if (good) return {};
  return fail(ErrorCode::kInvalidParameterValue,
              fmt::format("the {} \"{}\" is not usable", what, name), {},
              "use 1 to 63 small letters, digits and underscores, beginning with a letter");
}

Result<void> check_setting(const std::string& name, const std::string& value) {
  const bool good_name = !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_lower_or_digit(c) || c == '_' || c == '.';
  });
  if (!good_name)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("\"{}\" is not the name of a setting", name));
  if (std::ranges::any_of(value, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }))
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("the value of {} has a line break or a zero byte in it", name));
  // These are how the nodes find each other: changed behind our back, the cluster falls apart.
  constexpr std::array<std::string_view, 9> kOurs = {"port",
                                                     "listen_addresses",
                                                     "unix_socket_directories",
                                                     "data_directory",
                                                     "hba_file",
                                                     "cluster_name",
                                                     "primary_conninfo",
                                                     "primary_slot_name",
                                                     "synchronous_standby_names"};
  if (std::ranges::find(kOurs, name) != kOurs.end())
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("the setting {} belongs to fairlead and cannot be set", name), {},
                "host and port have options of their own");
  return {};
}

Result<void> check_dir(const ClusterSpec& spec) {
  if (!spec.dir.starts_with('/') || spec.dir == "/")
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("\"{}\" is not an absolute path of a folder for a cluster", spec.dir));
  if (std::ranges::any_of(spec.dir, [](char c) { return c == '\n' || c == '\'' || c == ','; }))
    return fail(ErrorCode::kInvalidParameterValue,
                "the folder's name has a comma, a quote or a line break in it",
                "PostgreSQL's own files could not name it");
  // ".s.PGSQL.65535.lock" is the longest name that PostgreSQL makes in the socket folder, but only
  // the socket itself must fit into sun_path.
  const size_t socket_path =
      Layout(spec.dir).socket_dir().size() + std::string_view("/.s.PGSQL.65535").size();
  if (socket_path > kSocketPathMax)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("the path of the cluster's folder is {} bytes too long",
                            socket_path - kSocketPathMax),
                fmt::format("Unix sockets lie in {}, and the system allows them {} bytes",
                            Layout(spec.dir).socket_dir(), kSocketPathMax),
                "choose a shorter path");
  return {};
}

}  // namespace

Result<void> check_node_name(const std::string& name) { return check_name("node name", name); }

bool is_numeric_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, text.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

/// 0.0.0.0, or :: in any form.
bool is_every_address(const std::string& numeric) {
  return numeric == "0.0.0.0" || numeric.find_first_not_of("0:") == std::string::npos;
}

Result<void> check(const ClusterSpec& spec) {
  if (auto good = check_dir(spec); !good) return good;
  if (spec.replicas < 0 || spec.replicas > kReplicasMax)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("a cluster has 0 to {} replicas, not {}", kReplicasMax, spec.replicas));
  if (spec.sync.count > static_cast<uint32_t>(spec.replicas))
    return fail(
        ErrorCode::kInvalidParameterValue,
        fmt::format("a commit cannot wait for {} of {} replicas", spec.sync.count, spec.replicas),
        {}, "ask for fewer with --sync, or for more --replicas");
  if (!is_numeric_address(spec.host))
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("\"{}\" is not an address in figures", spec.host),
                "pg_hba.conf is limited to exactly this address", "use 127.0.0.1, for example");
  if (is_every_address(spec.host))
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("{} stands for every address of this machine", spec.host),
                "the nodes connect to each other by this address, and pg_hba.conf is limited to "
                "it",
                "use one address, such as 127.0.0.1");
  if (spec.base_port != 0 && (spec.base_port < 1024 || spec.base_port + spec.replicas > 65535))
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("ports {} to {} are not all between 1024 and 65535", spec.base_port,
                            spec.base_port + spec.replicas));
  const std::array<std::pair<std::string_view, std::string_view>, 4> names = {
      {{"database", spec.database},
       {"superuser", spec.superuser},
       {"monitor user", spec.monitor_user},
       {"replication user", spec.replication_user}}};
  for (const auto& [what, name] : names)
    if (auto good = check_name(what, name); !good) return good;
  if (!spec.application_user.empty())
    if (auto good = check_name("application user", spec.application_user); !good) return good;
  const std::array<std::string_view, 4> roles = {spec.superuser, spec.monitor_user,
                                                 spec.replication_user, spec.application_user};
  for (size_t i = 0; i < roles.size(); ++i)
    for (size_t j = i + 1; j < roles.size(); ++j)
      if (roles[i] == roles[j])
        return fail(ErrorCode::kInvalidParameterValue,
                    fmt::format("two of the cluster's roles are named {}", roles[i]), {},
                    "give each its own name");
  for (const auto& [name, value] : spec.settings)
    if (auto good = check_setting(name, value); !good) return good;
  return {};
}

}  // namespace fairlead::cluster
