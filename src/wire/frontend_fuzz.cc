// Decodes arbitrary bytes as frames from a client. What was accepted must survive being encoded
// again, and a renamed message must differ in its name only, whole or streamed.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/frame.h"
#include "wire/frontend.h"
#include "wire/frontend_encode.h"
#include "wire/rename.h"

namespace {

using namespace fairlead::wire;
using fairlead::require;
using fairlead::Result;

constexpr std::string_view kNewName = "fl_1";

// Both messages that can be streamed have to come out the same as if they were whole.
void check_head(const Piece& whole, std::string_view renamed,
                Result<void> (*rename)(std::string&, const Piece&, std::string_view)) {
  Piece first = whole;
  first.kind = Piece::Kind::kFirst;
  std::string out;
  require(rename(out, first, kNewName).has_value() && out == renamed, "a streamed rename");
}

void check_parse(const Piece& piece) {
  const Result<Parse> parse = Parse::decode(piece.body());
  if (!parse) return;
  std::string same, renamed;
  append_parse_renamed(same, *parse, parse->statement);
  require(same == piece.bytes, "a renaming to the same name changes nothing");
  append_parse_renamed(renamed, *parse, kNewName);
  const Result<Parse> again = Parse::decode(std::string_view(renamed).substr(kFrameHeaderSize));
  require(again && again->statement == kNewName && again->query == parse->query, "a renamed Parse");
  check_head(piece, renamed, append_parse_head_renamed);
}

void check_bind(const Piece& piece) {
  const Result<Bind> bind = Bind::decode(piece.body());
  if (!bind) return;
  std::string same, renamed;
  append_bind_renamed(same, *bind, bind->statement);
  require(same == piece.bytes, "a renaming to the same name changes nothing");
  append_bind_renamed(renamed, *bind, kNewName);
  check_head(piece, renamed, append_bind_head_renamed);
  if (const Result<BindParameters> parameters = bind->parameters()) {
    for (size_t i = 0; i <= parameters->values.size(); ++i)
      require(!parameters->text(i) || parameters->is_text(i), "only text is given as text");
  }
}

void check_others(const Piece& piece) {
  const std::string_view body = piece.body();
  std::string same(piece.bytes);
  const auto again = [&]() -> std::string& {
    same.clear();
    return same;
  };
  switch (piece.type) {
    case frontend::kQuery:
      if (const auto query = Query::decode(body)) append_query(again(), query->text);
      break;
    case frontend::kDescribe:
      if (const auto m = Describe::decode(body)) append_describe(again(), m->kind, m->name);
      break;
    case frontend::kClose:
      if (const auto m = Close::decode(body)) append_close(again(), m->kind, m->name);
      break;
    case frontend::kExecute:
      if (const auto m = Execute::decode(body)) append_execute(again(), m->portal, m->max_rows);
      break;
    case frontend::kCopyFail:
      if (const auto m = CopyFail::decode(body)) append_copy_fail(again(), m->reason);
      break;
    case frontend::kPassword:
      if (const auto m = SaslInitialResponse::decode(body))
        append_sasl_initial_response(again(), m->mechanism, m->data);
      (void)PasswordMessage::decode(body);
      break;
    case frontend::kFunctionCall:
      (void)FunctionCall::decode(body);
      break;
    default:
      break;
  }
  require(same == piece.bytes, "a round trip");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  FrameCutter cutter(kFrontendPolicy);
  while (true) {
    const Result<Piece> piece = cutter.next(input);
    if (!piece || piece->kind != Piece::Kind::kWhole) return 0;
    if (piece->type == frontend::kParse)
      check_parse(*piece);
    else if (piece->type == frontend::kBind)
      check_bind(*piece);
    else
      check_others(*piece);
  }
}
