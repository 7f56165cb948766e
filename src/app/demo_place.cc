#include "app/demo_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "app/cluster_config.h"
#include "app/demo_requests.h"
#include "app/terminal.h"
#include "cluster/commands.h"
#include "cluster/files.h"
#include "cluster/ports.h"
#include "cluster/sample_data.h"
#include "config/load.h"

namespace fairlead::app {

namespace {

constexpr std::string_view kPrefix = "fairlead-demo-";
constexpr std::string_view kHost = "127.0.0.1";
constexpr const char* kUser = "app";
constexpr std::array<uint16_t, 3> kFavouritePorts{6432, 6433, 6434};
/// Removing must not be stopped half-way.
const cluster::StopFlag kNever = false;

std::string temporary_folder() {
  const char* named = getenv("TMPDIR");
  return named != nullptr && *named == '/' ? named : "/tmp";
}

/// The folder's lock, unless somebody holds it.
cluster::Fd try_lock(const std::string& dir, int flags) {
  cluster::Fd lock(open((dir + "/lock").c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock && flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.close();
  return lock;
}

Result<void> remove_all(const std::string& dir) {
  const std::string cluster_dir = dir + "/cluster";
  if (cluster::exists(cluster_dir + "/.fairlead-cluster")) {
    cluster::SilentProgress nobody;
    if (auto gone = cluster::destroy(cluster_dir, nobody, kNever); !gone) return gone;
  }
  return cluster::remove_tree(dir);
}

bool is_abandoned(const std::string& dir) {
  struct stat info{};
  if (lstat(dir.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid())
    return false;
  // The lock is taken before the cluster is begun: without a cluster it may be about to be taken.
  return cluster::exists(dir + "/cluster") && static_cast<bool>(try_lock(dir, 0));
}

bool all_free(const std::array<uint16_t, 3>& ports) {
  for (const uint16_t port : ports)
    if (!cluster::PortReservation::make(std::string(kHost), port)) return false;
  return true;
}

std::string toml_of(const cluster::Cluster& cluster, const std::string& users_file) {
  const std::array<uint16_t, 3> ports =
      all_free(kFavouritePorts) ? kFavouritePorts : std::array<uint16_t, 3>{0, 0, 0};
  return fmt::format(
             R"([listen]
host = "{}"
port = {}
read_port = {}
primary_port = {}
http_port = 0

)",
             kHost, ports[0], ports[1], ports[2]) +
         cluster_toml(cluster, users_file);
}

}  // namespace

Result<std::unique_ptr<DemoPlace>> DemoPlace::make() {
  std::string name = fmt::format("{}/{}XXXXXX", temporary_folder(), kPrefix);
  if (mkdtemp(name.data()) == nullptr) return cluster::fail_errno("make", name, errno);
  // The servers' user may be another one and has to pass through.
  cluster::Fd lock = try_lock(name, O_CREAT | O_EXCL);
  if (!lock || chmod(name.c_str(), 0711) != 0) {
    const int error = errno;
    (void)cluster::remove_tree(name);  // The first error is the one to tell.
    return cluster::fail_errno("use", name, error);
  }
  return std::unique_ptr<DemoPlace>(new DemoPlace(std::move(name), std::move(lock)));
}

DemoPlace::~DemoPlace() {
  if (auto gone = remove(); !gone) complain(gone.error());
}

Result<void> DemoPlace::remove() {
  if (removed_) return {};
  removed_ = true;
  return remove_all(dir_);
}

Result<void> DemoPlace::create_cluster(int replicas, cluster::SyncRule sync,
                                       cluster::ProgressSink& progress,
                                       const cluster::StopFlag& stop) {
  cluster::ClusterSpec spec;
  spec.dir = cluster_dir();
  spec.replicas = replicas;
  spec.sync = sync;
  spec.application_user = kUser;
  spec.throw_away = true;
  if (auto good = cluster::check(spec); !good) return good;
  auto made = cluster::create(spec, progress, stop);
  if (!made) return std::unexpected(std::move(made.error()));
  cluster_ = std::move(*made);
  auto connection = cluster::SqlConnection::open(cluster_.as_application(cluster_.nodes.front()));
  if (!connection) return std::unexpected(std::move(connection.error()));
  return cluster::load_sample_data(*connection);
}

Result<std::shared_ptr<const config::Config>> DemoPlace::write_config() {
  const std::string users_file = dir_ + "/users.txt";
  if (auto wrote = cluster::write_file(users_file, users_text(cluster_), 0600, nullptr); !wrote)
    return std::unexpected(std::move(wrote.error()));
  config::Sources sources;
  sources.file_text = toml_of(cluster_, users_file);
  sources.file_name = config_file();
  sources.read_file = cluster::read_file;
  if (auto wrote = cluster::write_file(config_file(), *sources.file_text, 0600, nullptr); !wrote)
    return std::unexpected(std::move(wrote.error()));
  auto config = config::load(sources);
  if (!config)
    return fail(ErrorCode::kInternal, "the demonstration's own configuration is wrong",
                config::describe(config.error().front(), sources.file_name));
  return std::make_shared<const config::Config>(std::move(*config));
}

Result<std::vector<uint64_t>> DemoPlace::find_posts(uint16_t port) const {
  auto connection = cluster::SqlConnection::open(endpoint(port));
  if (!connection) return std::unexpected(std::move(connection.error()));
  const auto bodies = connection->query("SELECT body FROM posts");
  if (!bodies) return std::unexpected(bodies.error());
  std::vector<uint64_t> out;
  for (const auto& row : bodies->rows)
    if (const auto number = number_of_post(row[0].value_or(""))) out.push_back(*number);
  return out;
}

cluster::Endpoint DemoPlace::endpoint(uint16_t port) const {
  cluster::Endpoint out = cluster_.as_application(cluster_.nodes.front());
  out.host = kHost;
  out.port = port;
  return out;
}

void remove_abandoned_demos() {
  const std::string parent = temporary_folder();
  std::vector<std::string> found;
  if (DIR* folder = opendir(parent.c_str()); folder != nullptr) {
    while (const dirent* entry = readdir(folder))
      if (std::string_view(entry->d_name).starts_with(kPrefix))
        found.push_back(parent + "/" + entry->d_name);
    closedir(folder);
  }
  for (const std::string& dir : found) {
    if (!is_abandoned(dir)) continue;
    if (const auto gone = remove_all(dir); gone)
      say(fmt::format("removed {}, which an earlier demo left behind", dir));
    else
      complain(gone.error());
  }
}

}  // namespace fairlead::app
