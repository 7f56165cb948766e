#include "sim/sim_client.h"

#include <array>
#include <optional>

#include "wire/frontend_encode.h"

namespace fairlead::sim {
namespace {

constexpr std::array<std::string_view, 4> kStatements{"", "s1", "s2", "s3"};
constexpr std::array<std::string_view, 3> kPortals{"", "", "p1"};

/// Texts that every client sends alike, so that servers share their statements. @ is a token.
constexpr std::array<std::string_view, 36> kTexts{"select '@'",
                                                  "select '@'",
                                                  "select '@'",
                                                  "select 1/0",
                                                  "insert into t values (1)",
                                                  "begin",
                                                  "begin",
                                                  "start transaction",
                                                  "begin read only",
                                                  "set transaction read only",
                                                  "commit",
                                                  "rollback",
                                                  "savepoint s",
                                                  "rollback to s",
                                                  "set app.tenant = '@'",
                                                  "set app.tenant = 'shared'",
                                                  "set local app.tenant = '@'",
                                                  "set timezone = '@'",
                                                  "set local timezone = '@'",
                                                  "reset timezone",
                                                  "reset app.tenant",
                                                  "reset all",
                                                  "show app.tenant",
                                                  "show timezone",
                                                  "show application_name",
                                                  "set application_name = '@'",
                                                  "discard all",
                                                  "listen a",
                                                  "unlisten *",
                                                  "copy t to stdout",
                                                  "do ''",
                                                  "nonsense",
                                                  "",
                                                  "select 'all alike'",
                                                  "select 'all alike'",
                                                  "select 'also alike'"};

}  // namespace

std::string SimClient::token() { return name_ + "-" + std::to_string(++tokens_); }

std::string SimClient::text(Choices& choices) {
  std::string text(kTexts[choices.below(kTexts.size())]);
  if (const size_t at = text.find('@'); at != std::string::npos) text.replace(at, 1, token());
  return text;
}

std::string SimClient::request(Choices& choices) {
  if (open_) return segment(choices);
  const uint32_t kind = choices.below(8);
  if (kind < 4) return query(choices);
  return kind < 7 ? segment(choices) : copy(choices);
}

std::string SimClient::read(Choices& choices) {
  std::string out;
  const std::string text = choices.one_in(2) ? "select 'all alike'" : "select '" + token() + "'";
  if (choices.one_in(2)) {
    wire::append_query(out, text);
    return out;
  }
  wire::append_parse(out, "", text);
  wire::append_bind(out, "", "");
  if (choices.one_in(2)) wire::append_describe(out, wire::NameKind::kPortal, "");
  wire::append_execute(out, "");
  wire::append_sync(out);
  return out;
}

std::string SimClient::last_request() {
  std::string out;
  if (open_) wire::append_sync(out);
  open_ = false;
  wire::append_query(out, "rollback");
  wire::append_query(out, "unlisten *");
  wire::append_query(out, "deallocate all");
  wire::append_query(out, "select '" + token() + "'");
  return out;
}

std::string SimClient::query(Choices& choices) {
  std::string out;
  switch (choices.below(10)) {
    case 0:
      wire::append_query(out, "prepare sq as select '" + token() + "'");
      break;
    case 1:
      wire::append_query(out, "execute sq");
      break;
    case 2:
      wire::append_query(out, choices.one_in(3) ? "deallocate all" : "deallocate sq");
      break;
    case 3:
      wire::append_query(out, "select '" + token() + "'; " + text(choices));
      break;
    default:
      wire::append_query(out, text(choices));
      break;
  }
  return out;
}

/// Everything at once, as some drivers do; the server takes it or drops it.
std::string SimClient::copy(Choices& choices) {
  std::string out;
  wire::append_query(out, choices.one_in(3) ? "copy numbers from stdin" : "copy t from stdin");
  for (uint32_t n = choices.below(8); n > 0; --n) wire::append_copy_data(out, token() + "\n");
  choices.one_in(4) ? wire::append_copy_fail(out, "no more") : wire::append_copy_done(out);
  return out;
}

std::string SimClient::segment(Choices& choices) {
  std::string out;
  for (uint32_t n = 1 + choices.below(5); n > 0; --n) {
    const std::string_view statement = kStatements[choices.below(kStatements.size())];
    const std::string_view portal = kPortals[choices.below(kPortals.size())];
    const std::string parameter = token();
    const std::array<std::optional<std::string_view>, 1> parameters{parameter};
    const bool has_parameter = choices.one_in(3);
    switch (choices.below(8)) {
      case 0:
      case 1:
        wire::append_parse(out, statement, has_parameter ? "select $1" : text(choices));
        break;
      case 2:
      case 3:
        wire::append_bind(out, portal, statement,
                          std::span(parameters).first(has_parameter ? 1 : 0));
        wire::append_execute(out, portal);
        break;
      case 4:
        wire::append_describe(out, wire::NameKind::kStatement, statement);
        break;
      case 5:
        wire::append_describe(out, wire::NameKind::kPortal, portal);
        break;
      case 6:
        wire::append_execute(out, portal);
        break;
      default:
        wire::append_close(out,
                           choices.one_in(2) ? wire::NameKind::kStatement : wire::NameKind::kPortal,
                           choices.one_in(2) ? statement : portal);
        break;
    }
  }
  open_ = choices.one_in(4);
  if (!open_) {
    wire::append_sync(out);
  } else if (choices.one_in(2)) {
    wire::append_flush(out);
  }
  return out;
}

}  // namespace fairlead::sim
