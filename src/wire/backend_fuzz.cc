// Decodes arbitrary bytes as frames from a server. What was accepted and can be made by us must
// survive being encoded again.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/backend.h"
#include "wire/backend_encode.h"
#include "wire/frame.h"
#include "wire/printable.h"

namespace {

using namespace fairlead::wire;
using fairlead::require;
using fairlead::Result;

void check_error(std::string_view body) {
  const ErrorFields head = ErrorFields::decode_head(body);
  const Result<ErrorFields> error = ErrorFields::decode(body);
  if (!error) return;
  require(*error == head, "a whole message is its own head");
  (void)error->ends_connection();
  require(printable(error->message(), 30).size() <= 30, "printable keeps its limit");
}

void check_command(std::string_view body) {
  const Result<CommandComplete> complete = CommandComplete::decode(body);
  if (!complete) return;
  require(complete->tag.starts_with(complete->command()), "the command is the tag's beginning");
  require(!complete->rows() || complete->command().size() < complete->tag.size(), "a row count");
}

// Messages that are decoded and encoded without loss.
void check_round_trip(const Piece& piece) {
  const std::string_view body = piece.body();
  std::string same(piece.bytes);
  const auto again = [&]() -> std::string& {
    same.clear();
    return same;
  };
  switch (piece.type) {
    case backend::kParameterStatus:
      if (const auto m = ParameterStatus::decode(body))
        append_parameter_status(again(), m->name, m->value);
      break;
    case backend::kBackendKeyData:
      if (const auto m = BackendKeyData::decode(body))
        append_backend_key_data(again(), m->pid, m->secret);
      break;
    case backend::kReadyForQuery:
      if (const auto m = ReadyForQuery::decode(body)) append_ready_for_query(again(), m->status);
      break;
    case backend::kDataRow:
      if (const auto m = DataRow::decode(body)) append_text_data_row(again(), m->values);
      break;
    case backend::kParameterDescription:
      if (const auto m = ParameterDescription::decode(body))
        append_parameter_description(again(), m->type_oids);
      break;
    case backend::kAuthentication:
      if (const auto m = Authentication::decode(body); m && m->code == AuthCode::kSasl)
        append_authentication_sasl(again(), *m->mechanisms());
      break;
    case backend::kNegotiateProtocolVersion:
      if (const auto m = NegotiateProtocolVersion::decode(body); m && m->major == 3)
        append_negotiate_protocol_version(again(), m->minor, m->unknown_options);
      break;
    default:
      break;
  }
  require(same == piece.bytes, "a round trip");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  FrameCutter cutter(kBackendPolicy);
  while (true) {
    const Result<Piece> piece = cutter.next(input);
    if (!piece || piece->kind != Piece::Kind::kWhole) return 0;
    const std::string_view body = piece->body();
    if (piece->type == backend::kErrorResponse || piece->type == backend::kNoticeResponse)
      check_error(body);
    else if (piece->type == backend::kCommandComplete)
      check_command(body);
    else
      check_round_trip(*piece);
    (void)RowDescription::decode(body);
    (void)NotificationResponse::decode(body);
    (void)CopyResponse::decode(body);
  }
}
