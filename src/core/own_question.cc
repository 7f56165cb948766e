#include "core/own_question.h"

#include "wire/backend.h"
#include "wire/error_fields.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::core {

void OwnQuestion::take(const wire::Piece& piece) {
  using Kind = wire::Piece::Kind;
  if (piece.kind == Kind::kWhole) return take_message(piece.type, piece.body());
  if (piece.kind == Kind::kFirst) pieces_.clear();
  // A message that has begun before the question: its head was somebody else's.
  if (piece.kind != Kind::kFirst && pieces_.empty()) return;
  if (pieces_.size() + piece.bytes.size() > kMessageMax) {
    pieces_.clear();
    error_ = {ErrorCode::kLimitExceeded, "the answer to a question of Fairlead's own is too large"};
    return;
  }
  pieces_.append(piece.bytes);
  if (piece.kind != Kind::kLast) return;
  take_message(piece.type, std::string_view(pieces_).substr(wire::kFrameHeaderSize));
  pieces_.clear();
}

void OwnQuestion::take_message(char type, std::string_view body) {
  if (type == wire::backend::kErrorResponse) {
    const auto fields = wire::ErrorFields::decode(body);
    error_ = fields ? Error{ErrorCode::kInternal, wire::printable(fields->message(), 500),
                            std::string(fields->sqlstate())}
                    : fields.error();
  } else if (type == wire::backend::kDataRow && row_.empty()) {
    const auto row = wire::DataRow::decode(body);
    if (!row) {
      error_ = row.error();
      return;
    }
    for (const auto& value : row->values)
      row_.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
}

}  // namespace fairlead::core
