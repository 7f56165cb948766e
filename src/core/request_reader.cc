#include "core/request_reader.h"

#include "wire/message_type.h"

namespace fairlead::core {
namespace {

namespace frontend = wire::frontend;
using wire::Piece;

bool is_copy(char type) {
  return type == frontend::kCopyData || type == frontend::kCopyDone || type == frontend::kCopyFail;
}

RequestEnd end_of(char type) {
  switch (type) {
    case frontend::kQuery:
      return RequestEnd::kQuery;
    case frontend::kFunctionCall:
      return RequestEnd::kCall;
    case frontend::kSync:
      return RequestEnd::kSync;
    case frontend::kFlush:
      return RequestEnd::kFlush;
    case frontend::kTerminate:
      return RequestEnd::kTerminate;
    default:
      return RequestEnd::kMore;
  }
}

}  // namespace

void RequestReader::add(const Piece& piece) {
  const auto size = static_cast<uint32_t>(piece.bytes.size());
  messages_.push_back({.type = piece.type,
                       .whole = piece.kind == Piece::Kind::kWhole,
                       .offset = static_cast<uint32_t>(size_),
                       .size = size});
  size_ += size;
}

Result<RequestEnd> RequestReader::read(std::string_view bytes) {
  std::string_view rest = bytes.substr(size_);
  if (!cutter_.at_boundary()) return is_copy(open_type_) ? read_copy(rest) : read_rest(rest);
  for (;;) {
    if (messages_.empty() && !rest.empty() && is_copy(rest.front())) return read_copy(rest);
    if (!rest.empty() && is_copy(rest.front())) {
      // Out of place: the server would drop it or report it. What stands before it goes first.
      return RequestEnd::kFlush;
    }
    const auto piece = cutter_.next(rest);
    if (!piece) return std::unexpected(piece.error());
    if (piece->kind == Piece::Kind::kNone)
      return size_ > size_max_ ? RequestEnd::kOversize : RequestEnd::kMore;
    if (piece->type == frontend::kPassword) {
      return fail(ErrorCode::kProtocolViolation, "invalid frontend message type 112",
                  "a password was not asked for");
    }
    add(*piece);
    if (piece->kind == Piece::Kind::kFirst) {
      open_type_ = piece->type;
      return RequestEnd::kOversize;
    }
    if (const RequestEnd end = end_of(piece->type); end != RequestEnd::kMore) return end;
    if (size_ > size_max_) return RequestEnd::kOversize;
  }
}

Result<RequestEnd> RequestReader::read_rest(std::string_view bytes) {
  const auto piece = cutter_.next(bytes);
  if (!piece) return std::unexpected(piece.error());
  if (piece->kind == Piece::Kind::kNone) return RequestEnd::kMore;
  size_ += piece->bytes.size();
  return RequestEnd::kRest;
}

Result<RequestEnd> RequestReader::read_copy(std::string_view bytes) {
  while (!bytes.empty() && (!cutter_.at_boundary() || is_copy(bytes.front()))) {
    const auto piece = cutter_.next(bytes);
    if (!piece) return std::unexpected(piece.error());
    if (piece->kind == Piece::Kind::kNone) break;
    open_type_ = piece->type;
    add(*piece);
  }
  return size_ == 0 ? RequestEnd::kMore : RequestEnd::kCopy;
}

void RequestReader::next() {
  messages_.clear();
  size_ = 0;
}

}  // namespace fairlead::core
