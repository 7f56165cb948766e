// Worker: what it has to say for the console, and how it asks the others.
#include "proxy/worker.h"

namespace fairlead::proxy {

std::shared_ptr<AwaitedReport> Worker::gather(console::View view, std::function<void()> on_report) {
  auto awaited = std::make_shared<AwaitedReport>();
  awaited->on_report = std::move(on_report);
  awaited->missing = workers_.size();
  for (const auto& worker : workers_) {
    // The last reference goes away on this thread, because it is handed back.
    worker->post([target = worker.get(), home = this, view, awaited]() mutable {
      home->post([part = target->report(view), awaited = std::move(awaited)]() mutable {
        awaited->so_far.add(std::move(part));
        if (--awaited->missing > 0) return;
        awaited->report = std::move(awaited->so_far);
        if (awaited->on_report) awaited->on_report();
      });
    });
  }
  return awaited;
}

console::Report Worker::report(console::View view) const {
  console::Report report;
  const Time now = net::Loop::now();
  switch (view) {
    case console::View::kRoutes:
      report.to_primary = stats_.to_primary;
      report.to_replica = stats_.to_replica;
      break;
    case console::View::kPins:
      for (const ClientSession* session : sessions_) {
        if (session == nullptr) continue;
        if (auto pinned = session->pinned(now)) report.pins.push_back(std::move(*pinned));
      }
      break;
    case console::View::kObserve:
    case console::View::kObserveShapes:
      report.observed = observations_.report(view == console::View::kObserveShapes, now);
      break;
    case console::View::kHelp:
    case console::View::kVersion:
      break;
  }
  return report;
}

}  // namespace fairlead::proxy
