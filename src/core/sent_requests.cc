#include "core/sent_requests.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace fairlead::core {

void SentRequest::clear() {
  std::vector<Execution> kept = std::move(executions);
  WrittenTables kept_tables = std::move(written);
  kept.clear();
  kept_tables.clear();
  *this = SentRequest{.executions = std::move(kept), .written = std::move(kept_tables)};
}

void SentRequest::on_completed() {
  constexpr size_t kForgetEvery = 1024;  // So that it costs each execution a move or two.
  if (++completed % kForgetEvery != 0) return;
  const auto end = executions.begin() + static_cast<ptrdiff_t>(completed);
  const auto kept = std::remove_if(executions.begin(), end, [](const Execution& execution) {
    return !changes_session(*execution.facts);
  });
  completed = static_cast<size_t>(kept - executions.begin());
  executions.erase(kept, end);
}

void SentRequest::forget_completed() {
  executions.erase(executions.begin(), executions.begin() + static_cast<ptrdiff_t>(completed));
  completed = 0;
}

void SentRequest::absorb(SentRequest& next) {
  std::ranges::move(next.executions, std::back_inserter(executions));
  may_write |= next.may_write;
  written.add(next.written);
  commits |= next.commits;
  if (next.controls) ends_inside = next.ends_inside;
  controls |= next.controls;
  catalog_change = std::max(catalog_change, next.catalog_change);
  prepares_unseen |= next.prepares_unseen;
  changes_statements |= next.changes_statements;
  alone |= next.alone;
}

SentRequest& SentRequests::push() {
  if (count_ == slots_.size()) {
    // Growing keeps the order: the ring is turned so that it begins at the front.
    std::ranges::rotate(slots_, slots_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
    slots_.emplace_back();
  }
  ++count_;
  back().clear();
  return back();
}

void SentRequests::pop() {
  require(count_ > 0, "only what was sent is answered");
  front().executions.clear();
  first_ = (first_ + 1) % slots_.size();
  --count_;
}

void SentRequests::merge_front() {
  require(count_ > 1, "two requests are needed to make one of them");
  SentRequest merged = std::move(front());
  merged.absorb(at(1));
  pop();
  front() = std::move(merged);
}

}  // namespace fairlead::core
