// What a server still owes us: one entry per message that was sent to it, in order.
//
// It tells for each message that comes back whose it is: the client's, to be forwarded, or ours (an
// injected Parse, a helper query), to be kept from the client (F22, F32). It also holds answers
// that Fairlead gives itself, so that they come out in their place among the server's (a
// ParseComplete for a statement that the server already had).
//
// Pure; one per server connection, on its worker's thread. Counting ReadyForQuery against Sync,
// Query and FunctionCall is what decides that a server is free again (F21); CommandComplete is
// never counted for that.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fairlead::core {

enum class Expect : uint8_t {
  kParse,
  kBind,
  kDescribeStatement,
  kDescribePortal,
  kExecute,
  kClose,
  kSync,
  kQuery,
  kFunctionCall,
  kLocal,  // Nothing comes from the server: the bytes are ours.
};

struct Expectation {
  Expect kind = Expect::kSync;
  bool hidden = false;  // Ours: the client must not see the answer.
  uint32_t tag = 0;     // The sender's own mark, given back when the answer is complete.

  bool operator==(const Expectation&) const = default;
};

struct Answer {
  bool forward = true;     // To the client; else it answers something of ours.
  bool completes = false;  // `what` is answered and gone.
  Expectation what =
      {};  // Whom the message belongs to; for an asynchronous message, nobody: kSync.

  bool operator==(const Answer&) const = default;
};

class ResponseQueue {
 public:
  /// A message was sent (or is about to be, in this order).
  void expect(Expectation expectation);
  /// `bytes` belong to the client after everything that is expected so far.
  void expect_local(std::string_view bytes, uint32_t tag = 0);

  /// If the next thing to tell the client is our own, moves it to `out`. Call after every change
  /// until false.
  std::optional<Expectation> take_local(std::string& out);

  /// A message of `type` came from the server. Error: kProtocolViolation, it answers nothing that
  /// was asked.
  Result<Answer> on_message(char type);

  /// The extended messages that the last ErrorResponse made the server skip; valid until the next
  /// call.
  std::span<const Expectation> skipped() const { return skipped_; }

  /// Nothing is owed: the server may be released if its transaction status is idle, too.
  bool empty() const { return next_ == entries_.size(); }
  size_t size() const { return entries_.size() - next_; }

  // What may be owed before nothing more is sent. A server holds back 8 KiB of output until it is
  // flushed, 1638 of the shortest answers: ten times as many never wait for that. Our own answers
  // cost a server nothing, so nothing else would bound them.
  static constexpr size_t kSizeMax = 16'384;
  static constexpr size_t kLocalBytesMax = size_t{1} << 20;
  bool is_full() const { return size() >= kSizeMax || local_bytes_ >= kLocalBytesMax; }
  /// Enough has been answered after is_full() to go on; not at once, so that a long pipeline does
  /// not stop at every message.
  bool has_room() const { return size() <= kSizeMax / 2 && local_bytes_ <= kLocalBytesMax / 2; }
  /// Entries in memory, answered ones included: a small multiple of what was owed at most.
  size_t held() const { return entries_.size() + locals_.size(); }
  /// A Sync, Query or FunctionCall was sent whose ReadyForQuery has not come. Not when only
  /// un-Synced messages are out.
  bool owes_ready() const { return ready_owed_ > 0; }
  size_t ready_owed() const { return ready_owed_; }
  /// An error happened in a segment whose Sync was not sent yet: the server skips what comes.
  bool skipping() const { return skipping_; }
  /// The server waits for CopyData (G was received, CopyDone or CopyFail not sent).
  bool copying_in() const { return copying_in_; }
  void on_copy_end_sent() { copying_in_ = false; }

 private:
  Expectation& head() { return entries_[next_]; }
  std::string_view pop_local();
  Answer pop();
  Answer on_error();
  Answer on_copy_in();
  void compact();

  std::vector<Expectation> entries_;
  size_t next_ = 0;
  std::vector<std::string> locals_;  // In order of their kLocal entries, from locals_next_.
  size_t locals_next_ = 0;
  size_t local_bytes_ = 0;  // Of those from locals_next_ on.
  std::vector<Expectation> skipped_;
  size_t ready_owed_ = 0;
  bool skipping_ = false;
  bool copying_in_ = false;
};

}  // namespace fairlead::core
