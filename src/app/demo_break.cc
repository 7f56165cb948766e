#include "app/demo_break.h"

#include <signal.h>

#include <cerrno>

#include "cluster/files.h"
#include "cluster/postmaster.h"

namespace fairlead::app {

std::string_view to_string(BreakTarget target) {
  return target == BreakTarget::kPrimary ? "primary" : "replica";
}

DemoBreak::DemoBreak(const DemoPlace& place, BreakTarget target) : target_(target) {
  const auto replicas = place.cluster().replicas();
  const cluster::Node* node = target == BreakTarget::kPrimary ? place.cluster().primary()
                              : replicas.empty()              ? nullptr
                                                              : replicas.front();
  if (node != nullptr) {
    address_ = node->address();
    data_dir_ = node->data_dir;
  }
  supervisor_ = std::thread([this, dir = place.cluster_dir()] {
    auto done = cluster::supervise({.dir = dir, .failover = true}, *this, stop_);
    const std::lock_guard lock(mutex_);
    if (!done) failed_ = std::move(done.error());
  });
}

DemoBreak::~DemoBreak() { (void)finish(); }

void DemoBreak::happened(const cluster::SupervisorEvent& event) {
  const std::lock_guard lock(mutex_);
  if (event.kind == "failed")
    failed_ = Error{ErrorCode::kIo, "the supervisor could not repair " + event.node, event.text};
  if (event.kind == "promoted" || event.kind == "restarted" || event.kind == "rejoined")
    failed_.reset();  // What failed before was tried again.
}

Result<void> DemoBreak::strike() {
  has_struck_ = true;
  const auto server = cluster::find_postmaster(data_dir_);
  if (!server)
    return fail(ErrorCode::kIo, "the " + std::string(to_string(target_)) + " does not run");
  if (::kill(server->pid, SIGKILL) == 0) return {};
  return cluster::fail_errno("kill the server of", data_dir_, errno);
}

Result<void> DemoBreak::finish() {
  stop_.store(true);
  if (supervisor_.joinable()) supervisor_.join();
  if (failed_) return std::unexpected(*failed_);
  return {};
}

}  // namespace fairlead::app
