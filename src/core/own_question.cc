#include "core/own_question.h"

#include "wire/backend.h"
#include "wire/error_fields.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::core {

void OwnQuestion::take(const wire::Piece& piece) {
  if (piece.kind != wire::Piece::Kind::kWhole) return;
  if (piece.type == wire::backend::kErrorResponse) {
    const auto fields = wire::ErrorFields::decode(piece.body());
    error_ = fields ? Error{ErrorCode::kInternal, wire::printable(fields->message(), 500),
                            std::string(fields->sqlstate())}
                    : fields.error();
  } else if (piece.type == wire::backend::kDataRow && row_.empty()) {
    const auto row = wire::DataRow::decode(piece.body());
    if (!row) {
      error_ = row.error();
      return;
    }
    for (const auto& value : row->values)
      row_.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
}

}  // namespace fairlead::core
