// One TCP connection, with or without TLS. Knows nothing of PostgreSQL.
//
// Reading and writing never block and never suspend: try them, and await readable() or writable()
// when they would block; whoever reads for as long as the peer likes awaits input() before each
// read. This costs two system calls per relayed round trip besides the sends (send_batch.h), and
// leaves no buffer behind while a connection is idle. A stream belongs to its loop's thread;
// detach() takes it away as a value that another thread may adopt.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "net/silence.h"
#include "net/socket.h"

namespace fairlead::net {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPointer = std::unique_ptr<SSL, SslDeleter>;

/// What one read or write did. `bytes` > 0 only with kOk.
struct Transfer {
  enum class State : uint8_t { kOk, kWouldBlock, kEnd, kFailed };
  State state;
  size_t bytes = 0;

  bool ok() const { return state == State::kOk; }
  bool would_block() const { return state == State::kWouldBlock; }
  bool closed() const { return state == State::kEnd || state == State::kFailed; }
};

/// A connection on its way to another thread.
struct DetachedStream {
  int fd = -1;
  SslPointer ssl;
};

/// Of recv(2), send(2) and their like: bytes, or -errno.
Transfer transfer_of(ssize_t result);

class TlsClient;
class TlsServer;

class Stream {
 public:
  explicit Stream(Socket socket);
  Stream(Loop& loop, DetachedStream detached);

  Transfer read(std::span<char> into);
  Transfer write(std::string_view bytes);

  /// Bytes at the front of the socket, which a later read returns again. Before TLS only.
  Transfer peek(std::span<char> into);

  /// readable() completes only when that many bytes are there, or the peer has ended. 1 is the
  /// normal state.
  void set_low_water(size_t bytes);

  /// The peer has ended its side, and everything before that was read. For those who do not read.
  bool peer_has_left();
  /// The peer has ended its side, whatever it sent before: a last message of its protocol or of TLS
  /// mostly.
  bool peer_has_ended();

  /// Reads and forgets what the peer has sent until now, at most 1 MiB. Before closing: a socket
  /// that is closed with unread bytes resets the connection, and what was written last may be lost.
  void discard_input();

  /// To be awaited before each read: completes at once while the last read has not proved that
  /// nothing is left (what TLS has decrypted already is not in the socket any more), else when
  /// reading may make progress. A peer that sends faster than it is read keeps nobody else from his
  /// turn: after kReadsInTurn reads, all else of the loop comes first. False: interrupted; but an
  /// interruption finds nobody while others have their turn, so whoever interrupts says so by a
  /// flag of its own, too.
  auto input() { return Input{*this, socket_.readable()}; }

  /// See Socket.
  void be_told_first() { socket_.be_told_first(); }

  /// To be awaited: completes when reading may make progress. False: interrupted.
  auto readable() { return socket_.readable(); }
  auto writable() { return socket_.writable(); }

  /// Has TCP ask a peer that was silent for `idle` whether its host is still there, and end the
  /// connection when nothing has come back for as long again (keepalive). Whole seconds, rounded
  /// up; 0: never.
  void keep_alive(Duration idle);
  /// For how long TCP has been sending the same bytes again, and nobody has acknowledged any, as
  /// far as it was asked here: ask a few times a second (silence.h). Keepalive does not end such a
  /// connection, and TCP gives up only after a quarter of an hour. A peer that is there and does
  /// not read acknowledges all the same.
  Duration unheard_for(Time now);

  /// Ends every pending readable() and writable(); the connection stays open.
  void interrupt();
  /// Ends the connection for both sides; pending waits complete, reads see the end. Bytes already
  /// written still go out.
  void shutdown();
  /// Closes at once and frees the descriptor.
  void close();

  /// TLS handshakes. The deadline is the caller's: shutdown() ends one that takes too long.
  Task<Result<void>> accept_tls(const TlsServer& tls);
  /// `direct`: TLS from the first byte with ALPN "postgresql" (F3).
  Task<Result<void>> connect_tls(const TlsClient& tls, const std::string& host);

  bool has_tls() const { return ssl_ != nullptr; }
  /// A TLS handshake is under way: nothing can be written yet.
  bool in_handshake() const { return has_tls() && !SSL_is_init_finished(ssl()); }
  SSL* ssl() const { return ssl_.get(); }

  std::string peer() const;
  int fd() const { return socket_.fd(); }

  DetachedStream detach();

 private:
  // A look at what else the loop has to do costs one system call for so many. One read may be tens
  // of thousands of the smallest messages, each of which may be answered by a system call of its
  // own.
  static constexpr uint32_t kReadsInTurn = 4;

  struct Input {
    Stream& stream;
    decltype(std::declval<Socket&>().readable()) readable;

    bool await_ready() {
      return stream.may_have_input_ ? stream.reads_in_turn_ < kReadsInTurn : readable.await_ready();
    }
    void await_suspend(std::coroutine_handle<> who) {
      stream.reads_in_turn_ = 0;
      if (!stream.may_have_input_) return readable.await_suspend(who);
      stream.socket_.loop().resume_later(who);
    }
    bool await_resume() const { return readable.await_resume(); }
  };

  Task<Result<void>> handshake(std::string what);
  Transfer read_now(std::span<char> into);

  Socket socket_;
  SslPointer ssl_;
  bool may_have_input_ = true;
  uint32_t reads_in_turn_ = 0;  // Since whoever reads has waited, or others had their turn.
  Silence silence_;
};

/// Writes all of `bytes`. Error: kConnectionFailure.
Task<Result<void>> write_all(Stream& stream, std::string bytes);

}  // namespace fairlead::net
