#include "sim/transcript.h"

#include "wire/backend.h"
#include "wire/error_fields.h"
#include "wire/frame.h"
#include "wire/message_type.h"

namespace fairlead::sim {

Transcript read_transcript(std::string_view bytes) {
  Transcript transcript;
  wire::FrameCutter cutter(wire::kBackendPolicy);
  for (;;) {
    const auto piece = cutter.next(bytes);
    if (!piece) transcript.answers += "\nMALFORMED";
    if (!piece || piece->kind == wire::Piece::Kind::kNone) break;
    if (piece->kind != wire::Piece::Kind::kWhole) continue;
    if (piece->type == wire::backend::kParameterStatus) {
      const auto status = wire::ParameterStatus::decode(piece->body());
      transcript.reports[std::string(status->name)] = status->value;
    } else if (piece->type == wire::backend::kErrorResponse) {
      const auto error = wire::ErrorFields::decode(piece->body());
      transcript.answers += "\nE " + std::string(error->sqlstate());
      transcript.fatal |= error->ends_connection();
    } else {
      transcript.ready += piece->type == wire::backend::kReadyForQuery ? 1 : 0;
      transcript.answers += "\n";
      for (const char c : piece->bytes)
        if (c >= ' ' && c <= '~') transcript.answers += c;
    }
  }
  transcript.broken = !bytes.empty() || !cutter.at_boundary();
  return transcript;
}

}  // namespace fairlead::sim
