// Asking the machine.
#include "cluster/resolve.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cluster/cluster.h"
#include "cluster/find_postgres.h"

namespace fairlead::cluster {

namespace {

/// 128 bits: nobody guesses it, and it still fits on a line.
Result<std::string> new_password() {
  std::array<unsigned char, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail(ErrorCode::kIo, "the system gives no random bytes", std::strerror(errno));
  std::string out;
  for (const unsigned char byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace

Result<OsUser> servers_user(const ClusterSpec& spec) {
  auto self = current_os_user();
  if (!self) return self;
  if (spec.os_user.empty() && self->uid != 0) return self;
  auto user = spec.os_user == self->name
                  ? self
                  : find_os_user(spec.os_user.empty() ? "postgres" : spec.os_user);
  if (!user) return user;
  if (user->uid == 0)
    return fail(ErrorCode::kInvalidParameterValue, "PostgreSQL refuses to run as root", {},
                "name another user with --os-user");
  if (self->uid != 0 && user->uid != self->uid)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("{} cannot run servers as {}", self->name, user->name),
                "only root can change users",
                fmt::format("run the command as root or as {}", user->name));
  return user;
}

Result<ResolvedSpec> resolve(ClusterSpec spec) {
  auto dir = canonical_dir(spec.dir);
  if (!dir) return std::unexpected(dir.error());
  spec.dir = std::move(*dir);
  if (auto good = check(spec); !good) return std::unexpected(good.error());
  auto user = servers_user(spec);
  if (!user) return std::unexpected(user.error());
  auto programs = find_postgres(spec.pg_bin);
  if (!programs) return std::unexpected(programs.error());
  spec.os_user = user->name;
  spec.pg_bin = programs->bin_dir;
  return ResolvedSpec{std::move(spec), programs->major, std::move(*user)};
}

Result<ClusterState> new_state(const ResolvedSpec& resolved) {
  ClusterState state;
  state.spec = resolved.spec;
  state.pg_major = resolved.pg_major;
  std::vector<std::string*> passwords = {&state.secrets.superuser, &state.secrets.monitor,
                                         &state.secrets.replication};
  if (!state.spec.application_user.empty()) passwords.push_back(&state.secrets.application);
  for (std::string* password : passwords) {
    auto fresh = new_password();
    if (!fresh) return std::unexpected(fresh.error());
    *password = std::move(*fresh);
  }
  for (int i = 0; i <= state.spec.replicas; ++i)
    state.nodes.push_back(
        {fmt::format("node{}", i + 1),
         static_cast<uint16_t>(state.spec.base_port == 0 ? 0 : state.spec.base_port + i),
         // Roles are made before there is a replica: no commit may wait for one yet.
         i > 0 && state.spec.sync.is_on() ? Standing::kJoining : Standing::kMember});
  return state;
}

}  // namespace fairlead::cluster
