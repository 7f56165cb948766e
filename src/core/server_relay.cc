#include "core/server_relay.h"

namespace fairlead::core {
namespace {

using wire::Piece;

/// What of the input is to be forwarded and was not yet: from `begin` on.
class Run {
 public:
  Run(RelaySink& sink, const char* begin) : sink_(sink), begin_(begin) {}

  void flush(const char* end) {
    if (end != begin_ && sink_.leased()) sink_.forward({begin_, static_cast<size_t>(end - begin_)});
    begin_ = end;
  }
  void skip(const char* end) { begin_ = end; }

 private:
  RelaySink& sink_;
  const char* begin_;
};

/// Carries out what the session has said of one piece.
void carry_out(const Relayed& relayed, const Piece& piece, Run& run, RelaySink& sink) {
  const char* const end = piece.bytes.data() + piece.bytes.size();
  if (relayed.discard) {
    run.skip(end);
  } else if (!relayed.before.empty() || !relayed.forward) {
    run.flush(piece.bytes.data());
  }
  if (!relayed.before.empty()) sink.forward(relayed.before);
  if (!relayed.forward) run.skip(end);
  if (!relayed.after.empty() || relayed.done) run.flush(end);
  if (!relayed.after.empty()) sink.forward(relayed.after);
  if (relayed.done) sink.on_server_done();
}

}  // namespace

Result<void> ServerRelay::feed(std::string_view bytes, RelaySink& sink) {
  if (kept_.empty()) return relay(bytes, sink);
  std::string input = std::move(kept_);
  kept_.clear();
  input.append(bytes);
  return relay(input, sink);
}

Result<void> ServerRelay::relay(std::string_view input, RelaySink& sink) {
  Run run(sink, input.data());
  const char* at =
      input.data();  // The end of what was cut off; a cutter leaves an empty input bare.
  for (;;) {
    const auto piece = cutter_.next(input);
    if (!piece) {
      run.flush(at);
      return std::unexpected(piece.error());
    }
    if (piece->kind == Piece::Kind::kNone) {
      run.flush(at);
      kept_.assign(input);
      return {};
    }
    const char* const begin = at;
    at = piece->bytes.data() + piece->bytes.size();
    if (!sink.leased()) {
      if (auto fine = sink.on_idle_piece(*piece); !fine) return fine;
      run.skip(at);
      continue;
    }
    const Relayed relayed = sink.on_server_piece(*piece);
    if (sink.given_up()) return {};
    if (relayed.broken != nullptr) {
      run.flush(begin);
      return std::unexpected(*relayed.broken);
    }
    carry_out(relayed, *piece, run, sink);
    if (sink.given_up()) return {};
  }
}

}  // namespace fairlead::core
