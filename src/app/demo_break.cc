#include "app/demo_break.h"

#include <signal.h>

#include <cerrno>

#include "cluster/commands.h"
#include "cluster/files.h"
#include "cluster/postmaster.h"
#include "cluster/promote.h"
#include "cluster/rejoin.h"

namespace fairlead::app {

namespace {

using namespace std::chrono_literals;

/// Long enough to see the others carry its part.
constexpr auto kReplicaIsAway = 4s;
constexpr auto kSlice = 100ms;

}  // namespace

std::string_view to_string(BreakTarget target) {
  return target == BreakTarget::kPrimary ? "primary" : "replica";
}

DemoBreak::DemoBreak(const DemoPlace& place, BreakTarget target)
    : target_(target), dir_(place.cluster_dir()) {
  const auto replicas = place.cluster().replicas();
  const cluster::Node* node = target == BreakTarget::kPrimary ? place.cluster().primary()
                              : replicas.empty()              ? nullptr
                                                              : replicas.front();
  if (node == nullptr) return;
  name_ = node->name;
  address_ = node->address();
  data_dir_ = node->data_dir;
}

DemoBreak::~DemoBreak() {
  stop_.store(true);
  if (repair_.joinable()) repair_.join();
}

Result<void> DemoBreak::strike() {
  const auto server = cluster::find_postmaster(data_dir_);
  if (!server)
    return fail(ErrorCode::kIo, "the " + std::string(to_string(target_)) + " does not run");
  if (::kill(server->pid, SIGKILL) != 0)
    return cluster::fail_errno("kill the server of", data_dir_, errno);
  repair_ = std::thread([this] { repaired_ = repair(); });
  return {};
}

Result<void> DemoBreak::wait() {
  if (repair_.joinable()) repair_.join();
  return repaired_;
}

Result<void> DemoBreak::repair() {
  cluster::SilentProgress nobody;
  if (target_ == BreakTarget::kReplica) {
    for (auto waited = 0ms; waited < kReplicaIsAway && !stop_; waited += kSlice)
      std::this_thread::sleep_for(kSlice);
    auto started = cluster::start(dir_, nobody, stop_);
    return started ? Result<void>{} : std::unexpected(std::move(started.error()));
  }
  if (auto promoted = cluster::promote(dir_, {}, nobody, stop_); !promoted)
    return std::unexpected(std::move(promoted.error()));
  auto back = cluster::rejoin(dir_, {.node = name_}, nobody, stop_);
  return back ? Result<void>{} : std::unexpected(std::move(back.error()));
}

}  // namespace fairlead::app
