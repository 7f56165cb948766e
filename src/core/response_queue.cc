#include "core/response_queue.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

bool ends_with_ready(Expect kind) {
  return kind == Expect::kSync || kind == Expect::kQuery || kind == Expect::kFunctionCall;
}

std::unexpected<Error> unasked(char type) {
  return fail(ErrorCode::kProtocolViolation, std::string("the server sent a message of type \"") +
                                                 type + "\" that nothing asked for");
}

}  // namespace

void ResponseQueue::expect(Expectation expectation) {
  if (skipping_) {
    // The server is in error and reads on to the next Sync; what comes before it is never answered
    // (F22).
    if (expectation.kind != Expect::kSync) return;
    skipping_ = false;
  }
  if (ends_with_ready(expectation.kind)) ++ready_owed_;
  entries_.push_back(expectation);
}

void ResponseQueue::expect_local(std::string_view bytes, uint32_t tag) {
  if (skipping_) return;
  entries_.push_back({.kind = Expect::kLocal, .tag = tag});
  locals_.emplace_back(bytes);
  local_bytes_ += bytes.size();
}

std::string_view ResponseQueue::pop_local() {
  const std::string& local = locals_[locals_next_++];
  local_bytes_ -= local.size();
  return local;
}

std::optional<Expectation> ResponseQueue::take_local(std::string& out) {
  if (empty() || head().kind != Expect::kLocal) return std::nullopt;
  out.append(pop_local());
  return pop().what;
}

Answer ResponseQueue::pop() {
  const Answer answer{.forward = !head().hidden, .completes = true, .what = head()};
  if (ends_with_ready(head().kind)) --ready_owed_;
  ++next_;
  compact();
  return answer;
}

/// All of it mostly; what is answered, where a client never lets the pipeline run dry: as much as
/// is moved, so that it costs each entry one move.
void ResponseQueue::compact() {
  constexpr size_t kAnsweredMin = 64;
  const auto drop = [](auto& values, size_t& next) {
    if (next < values.size() && (next < kAnsweredMin || next < values.size() - next)) return;
    values.erase(values.begin(), values.begin() + static_cast<ptrdiff_t>(next));
    next = 0;
  };
  drop(entries_, next_);
  drop(locals_, locals_next_);
}

Answer ResponseQueue::on_error() {
  copying_in_ = false;
  if (empty()) return {};  // Asynchronous: a FATAL to an idle server.
  const Expectation failed = head();
  if (ends_with_ready(failed.kind))
    return {.forward = !failed.hidden, .completes = false, .what = failed};

  // The error of an injected message stands in the place of the client's own next message, so the
  // client sees it (F22).
  const auto begin = entries_.begin() + static_cast<ptrdiff_t>(next_);
  const auto sync = std::find_if(begin, entries_.end(),
                                 [](const Expectation& e) { return e.kind == Expect::kSync; });
  for (auto entry = begin; entry != sync; ++entry) {
    if (entry->kind == Expect::kLocal) {
      pop_local();
    } else {
      if (ends_with_ready(entry->kind)) --ready_owed_;
      skipped_.push_back(*entry);
    }
  }
  next_ = static_cast<size_t>(sync - entries_.begin());
  skipping_ = sync == entries_.end();
  compact();
  return {.forward = true, .completes = true, .what = failed};
}

Answer ResponseQueue::on_copy_in() {
  const Expectation copying = head();
  copying_in_ = true;
  if (copying.kind == Expect::kExecute && next_ + 1 < entries_.size() &&
      entries_[next_ + 1].kind == Expect::kSync) {
    // The Sync that came with this Execute reaches the server in copy mode, where it is ignored
    // (F25).
    entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(next_) + 1);
    --ready_owed_;
  }
  return {.forward = !copying.hidden, .completes = false, .what = copying};
}

Result<Answer> ResponseQueue::on_message(char type) {
  namespace backend = wire::backend;
  skipped_.clear();
  if (type == backend::kNoticeResponse || type == backend::kParameterStatus ||
      type == backend::kNotificationResponse)
    return Answer{};
  if (type == backend::kErrorResponse) return on_error();
  if (empty()) return unasked(type);

  const Expect kind = head().kind;
  const Answer part{.forward = !head().hidden, .completes = false, .what = head()};
  const auto pop_if = [&](bool matches) -> Result<Answer> {
    if (!matches) return unasked(type);
    return pop();
  };
  switch (type) {
    case backend::kReadyForQuery:
      copying_in_ = false;
      return pop_if(ends_with_ready(kind));
    case backend::kParseComplete:
      return pop_if(kind == Expect::kParse);
    case backend::kBindComplete:
      return pop_if(kind == Expect::kBind);
    case backend::kCloseComplete:
      return pop_if(kind == Expect::kClose);
    case backend::kCommandComplete:
    case backend::kEmptyQueryResponse:
      copying_in_ = false;  // Also where CopyDone was sent before the server asked for data.
      if (kind == Expect::kQuery) return part;
      return pop_if(kind == Expect::kExecute);
    case backend::kPortalSuspended:
      return pop_if(kind == Expect::kExecute);
    case backend::kRowDescription:
    case backend::kNoData:
      if (kind == Expect::kQuery) return part;
      return pop_if(kind == Expect::kDescribeStatement || kind == Expect::kDescribePortal);
    case backend::kCopyInResponse:
    case backend::kCopyBothResponse:
      if (kind != Expect::kQuery && kind != Expect::kExecute) return unasked(type);
      return on_copy_in();
    default:
      break;
  }
  return part;
}

}  // namespace fairlead::core
