// A request that may be executed once more, elsewhere or on the same server, because nothing of its
// answer has reached the client (A60, C11): its bytes, and the start of its answer, held back.
//
// Pure; one per session. Whether an error allows it is retry_rules.h's question.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/route.h"

namespace fairlead::core {

class ReadRepeat {
 public:
  enum class Scope : uint8_t {
    kNone,       // Not any more, or never.
    kRead,       // A proven read: after any error that retry_rules.h lists.
    kStalePlan,  // Whatever it does: only after an error that comes before it is executed (C11).
    kLoss,       // A proven read on the primary: after that, and after the loss of its server.
  };

  /// An answer is held back no longer than this: descriptions of a few hundred columns.
  static constexpr size_t kHeadMax = 16 * 1024;

  void begin(std::string_view request, Scope scope);
  /// Something of the answer is about to go out, or has to.
  void give_up() { scope_ = Scope::kNone; }
  Scope scope() const { return scope_; }
  bool holds_back() const { return scope_ != Scope::kNone; }

  /// Bytes of the answer: held back, unless it returns what is to be sent instead. The view is
  /// valid until the next call.
  std::string_view pass(std::string_view bytes);
  /// What is still held back, to be sent; valid until the next call.
  std::string_view take_head();

  /// It is to be executed again; nullopt: where it was routed to.
  void want(std::optional<Target> target) {
    wanted_ = true;
    target_ = target;
    head_.clear();
  }
  bool wanted() const { return wanted_; }
  std::optional<Target> target() const { return target_; }
  void on_sent_again() { wanted_ = false; }

  const std::string& request() const { return request_; }
  /// Frees what a large request has left behind.
  void forget();

 private:
  // An idle client keeps no more than this.
  static constexpr size_t kKeptMax = 256;

  Scope scope_ = Scope::kNone;
  std::string request_;
  std::string head_;
  std::string out_;
  bool wanted_ = false;
  std::optional<Target> target_;
};

}  // namespace fairlead::core
