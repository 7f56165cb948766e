// What a replication connection is at, by the types and lengths of the messages that pass: whether
// it may end without breaking off something that would come to an end by itself (F5).
//
// Sees every byte, keeps none and changes nothing: what passes is the client's and the server's
// business. Pure; one per replicating client, on its worker's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/limits.h"

namespace fairlead::core {

/// Finds the ends of messages in one direction of one connection, whatever is in them.
class MessageEnds {
 public:
  /// Takes bytes off the front, up to and with the end of the message that they belong to. True:
  /// that message is complete. A length below 4, which no message has, counts as 4.
  bool skip(std::string_view& input);

  /// The next byte is a type byte.
  bool at_boundary() const { return head_size_ == 0; }
  /// Of the message that was completed last.
  char type() const { return head_[0]; }
  /// The first byte of its body; of an empty body, what stood there before.
  char first_of_body() const { return head_[wire::kFrameHeaderSize]; }

 private:
  std::array<char, wire::kFrameHeaderSize + 1> head_{};
  size_t head_size_ = 0;    // Bytes of head_ that are there.
  uint32_t body_size_ = 0;  // Once the header is there.
  uint32_t body_left_ = 0;  // Bytes of the body that have not passed yet.
};

class ReplicationTraffic {
 public:
  /// What the client sends, cut anywhere.
  void on_client(std::string_view bytes);
  /// Takes off the front what the server sends, at most one message.
  void on_server(std::string_view& input);

  /// Something is under way that comes to an end by itself: a base backup, a COPY, any command, a
  /// transaction. Streaming has no end, and waiting for a command has none either.
  bool in_command() const { return activity_ == Activity::kCommand; }
  /// No command is broken off, and a message of ours may stand behind what the server has sent.
  bool may_end() const { return server_.at_boundary() && !in_command(); }
  /// A message of ours may stand behind what the client has sent.
  bool client_at_boundary() const { return client_.at_boundary(); }

 private:
  enum class Activity : uint8_t {
    kIdle,
    kCommand,    // Or a transaction.
    kStreaming,  // COPY in both directions: START_REPLICATION.
  };

  MessageEnds client_;
  MessageEnds server_;
  Activity activity_ = Activity::kIdle;
};

}  // namespace fairlead::core
