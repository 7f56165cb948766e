// Looking for PostgreSQL's programs.
#include "cluster/find_postgres.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

constexpr const char* kDebianRoot = "/usr/lib/postgresql";

uint32_t number_or_0(std::string_view text) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string newest_packaged() {
  std::error_code error;
  uint32_t newest = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kDebianRoot, error)) {
    const uint32_t major = number_or_0(entry.path().filename().string());
    // A client package leaves a bin folder without initdb.
    if (major > newest && access((entry.path() / "bin/initdb").c_str(), X_OK) == 0) newest = major;
  }
  return newest == 0 ? "" : fmt::format("{}/{}/bin", kDebianRoot, newest);
}

std::string in_path(std::string_view program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (folder.starts_with('/') && access(fmt::format("{}/{}", folder, program).c_str(), X_OK) == 0)
      return std::string(folder);
  }
  return {};
}

std::string named_by_pg_config() {
  const std::string folder = in_path("pg_config");
  if (folder.empty()) return {};
  const StopFlag never = false;
  const auto ending = run_good({.arguments = {folder + "/pg_config", "--bindir"}}, never);
  return ending ? tail(ending->out, 1) : std::string();
}

Result<std::string> any_bin_dir() {
  for (const auto& find : {newest_packaged, named_by_pg_config, +[] { return in_path("initdb"); }})
    if (std::string found = find();
        !found.empty() && access((found + "/initdb").c_str(), X_OK) == 0)
      return found;
  return fail(ErrorCode::kIo, "no PostgreSQL server programs were found on this machine",
              fmt::format("looked into {}/*/bin, at pg_config and in PATH for initdb", kDebianRoot),
              "install PostgreSQL (apt-get install postgresql), or name the folder with --pg-bin");
}

}  // namespace

uint32_t major_of(std::string_view version_line) {
  constexpr std::string_view kBefore = "(PostgreSQL) ";
  const size_t at = version_line.find(kBefore);
  return at == std::string_view::npos ? 0 : number_or_0(version_line.substr(at + kBefore.size()));
}

Result<PostgresPrograms> find_postgres(const std::string& wanted) {
  auto bin_dir = wanted.empty() ? any_bin_dir() : Result<std::string>(wanted);
  if (!bin_dir) return std::unexpected(bin_dir.error());
  for (const std::string_view program : {"initdb", "postgres", "pg_ctl", "pg_basebackup"})
    if (access(fmt::format("{}/{}", *bin_dir, program).c_str(), X_OK) != 0)
      return fail(ErrorCode::kIo, fmt::format("there is no {}/{}", *bin_dir, program), {},
                  "name the folder of PostgreSQL's server programs with --pg-bin");
  const StopFlag never = false;
  const auto ending = run_good({.arguments = {*bin_dir + "/postgres", "--version"}}, never);
  if (!ending) return std::unexpected(ending.error());
  const uint32_t major = major_of(ending->out);
  if (major < kPostgresMajorMin)
    return fail(ErrorCode::kFeatureNotSupported,
                fmt::format("{} is not PostgreSQL {} or newer", *bin_dir, kPostgresMajorMin),
                tail(ending->out, 1), "name a newer version's folder with --pg-bin");
  return PostgresPrograms{std::move(*bin_dir), major};
}

}  // namespace fairlead::cluster
