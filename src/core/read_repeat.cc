#include "core/read_repeat.h"

namespace fairlead::core {

void ReadRepeat::begin(std::string_view request, Scope scope) {
  scope_ = scope;
  if (scope != Scope::kNone && request.data() != request_.data()) request_.assign(request);
}

std::string_view ReadRepeat::pass(std::string_view bytes) {
  if (holds_back()) {
    head_.append(bytes);
    if (head_.size() < kHeadMax) return {};
    give_up();
    return take_head();
  }
  if (head_.empty()) return bytes;
  head_.append(bytes);
  return take_head();
}

std::string_view ReadRepeat::take_head() {
  out_.swap(head_);
  head_.clear();
  return out_;
}

void ReadRepeat::forget() {
  scope_ = Scope::kNone;
  if (request_.capacity() > kKeptMax) request_ = {};
  if (out_.capacity() > kKeptMax) out_ = {};
  if (head_.empty() && head_.capacity() > kKeptMax) head_ = {};
}

}  // namespace fairlead::core
