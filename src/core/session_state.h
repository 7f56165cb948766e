// What one client's session is, apart from its connection: the state that follows it from server to
// server.
//
// Plain parts, each with its own rules: settings (variables.h), prepared statements
// (prepared_client.h), portals (client_portals.h), pins (pins.h). Pure; one per client, on its
// worker's thread.
#pragma once

#include <optional>

#include "core/client_portals.h"
#include "core/parameter_status.h"
#include "core/pins.h"
#include "core/prepared_client.h"
#include "core/read_floor.h"
#include "core/route.h"
#include "core/variables.h"
#include "sql/lexer.h"
#include "wire/backend.h"

namespace fairlead::core {

struct SessionState {
  explicit SessionState(HashKey key, VariableSet startup = {})
      : variables(key, std::move(startup)) {}

  Port port = Port::kAutomatic;
  SessionVariables variables;
  ClientStatements statements;
  ClientPortals portals;
  PinState pins;
  wire::TxStatus status = wire::TxStatus::kIdle;  // As the client was told last (F30).

  /// When the last transaction ended that may have written; Time{}: never (D11).
  Time wrote_at{};
  uint64_t wrote_epoch = 0;  // Of the primary that has acknowledged it.

  /// What the client has seen last (D21).
  LastAnswer answered{};

  /// ParameterStatus as the client saw it last (C7), without what describes the node.
  const ReportedParameters& seen() const { return seen_; }
  void note_seen(std::string_view name, std::string_view value);
  /// Whether a server reports the same; if so both share their content from now on.
  bool saw_the_same(ReportedParameters& reported) { return seen_.share_if_equal(reported); }

  /// How the client's texts are to be read.
  TextRules text_rules() const {
    return {
        .standard_conforming_strings = seen_.value_or("standard_conforming_strings", "on") == "on",
        .client_encoding = seen_.value_or("client_encoding", "UTF8")};
  }
  /// The same for the lexer; kept, because every request asks.
  const sql::LexOptions& lex_options() const { return lex_options_; }
  /// default_transaction_read_only (B18).
  bool default_read_only() const { return default_read_only_; }

 private:
  ReportedParameters seen_;
  sql::LexOptions lex_options_;
  bool default_read_only_ = false;
};

}  // namespace fairlead::core
