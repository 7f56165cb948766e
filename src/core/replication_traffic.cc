#include "core/replication_traffic.h"

#include <algorithm>

#include "base/bytes.h"
#include "wire/backend.h"
#include "wire/message_type.h"

namespace fairlead::core {

namespace backend = wire::backend;

bool MessageEnds::skip(std::string_view& input) {
  while (head_size_ < wire::kFrameHeaderSize) {
    if (input.empty()) return false;
    head_[head_size_++] = input.front();
    input.remove_prefix(1);
    if (head_size_ < wire::kFrameHeaderSize) continue;
    const uint32_t length = load_u32(head_.data() + 1);
    body_size_ = body_left_ = std::max(length, wire::kEmptyFrameLength) - wire::kEmptyFrameLength;
  }
  const size_t taken = std::min<size_t>(body_left_, input.size());
  if (taken > 0 && body_left_ == body_size_) head_.back() = input.front();
  input.remove_prefix(taken);
  body_left_ -= static_cast<uint32_t>(taken);
  if (body_left_ > 0) return false;
  head_size_ = 0;
  return true;
}

void ReplicationTraffic::on_client(std::string_view bytes) {
  if (!bytes.empty() && activity_ == Activity::kIdle) activity_ = Activity::kCommand;
  while (!bytes.empty()) client_.skip(bytes);
}

void ReplicationTraffic::on_server(std::string_view& input) {
  if (!server_.skip(input)) return;
  if (server_.type() == backend::kCopyBothResponse) activity_ = Activity::kStreaming;
  if (server_.type() != backend::kReadyForQuery) return;
  const bool is_idle = server_.first_of_body() == static_cast<char>(wire::TxStatus::kIdle);
  activity_ = is_idle ? Activity::kIdle : Activity::kCommand;
}

}  // namespace fairlead::core
