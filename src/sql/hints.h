// Hints in comments: how one statement asks for its route without a SET (A7).
//
//   /* fairlead.route=primary */   /* fairlead.consistency='strict', fairlead.max_lag=1s */
//   /* fairlead: primary */        short for fairlead.route
//   /* pgdog_role: replica */      /*NO LOAD BALANCE*/        as written for other proxies
//
// Only lexed comments count, block or line, never text inside a literal. A hint never makes a read
// out of a write: a wish for a replica counts for proven reads only, which is the router's
// business. A hint belongs to the Parse or PREPARE it stands in and counts for every later Execute.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "sql/lexer.h"
#include "sql/settings.h"

namespace fairlead::sql {

struct Hints {
  std::optional<Route> route;
  std::optional<ReadConsistency> consistency;
  std::optional<FloorToken> min_lsn;
  std::optional<Duration> max_lag;
  std::optional<Tags> tags;
  std::optional<Explain> explain;
  std::optional<TransactionReads> transaction_reads;

  bool empty() const { return *this == Hints{}; }
  void set(Setting setting);
  /// Takes what `outer` says where these say nothing.
  void inherit(const Hints& outer);
  /// Takes what another text asks that goes to the same server: of two wishes the stricter one
  /// counts, and of those that are not more or less strict the later one.
  void add(const Hints& other);
  bool operator==(const Hints&) const = default;
};

/// The hints of a text; the last one of a kind counts. Allocates nothing and costs a search for
/// comment marks when there are none; skip even that when Shape::has_comment is false. An unknown
/// fairlead.* name or a bad value is an error of read_setting().
Result<Hints> find_hints(std::string_view text, LexOptions options = {});

}  // namespace fairlead::sql
