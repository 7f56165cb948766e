// One connection to the admin console (database "fairlead" or "pgbouncer"), after its login: both
// protocols, for the statements of statement.h.
//
// Pure: the driver feeds it one message at a time and sends what it appends. While wants() names a
// view, the driver finds out what the workers have to say and calls answer(); nothing else may be
// fed meanwhile. Unlike PgBouncer's, this console speaks the extended protocol, because asyncpg and
// psycopg 3 have no other; results come in binary where a driver asks for that.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "console/statement.h"
#include "wire/backend.h"

namespace fairlead::console {

/// Prepared statements, and portals, of one connection: drivers keep one for each text.
inline constexpr size_t kNamesMax = 100;
/// The longest text or Bind: whatever the console knows is a line.
inline constexpr uint32_t kConsoleMessageMax = 64 << 10;

/// The names under which the console is reached, instead of a database.
bool is_console(std::string_view database);

class Session {
 public:
  /// `version`: Fairlead's own, of static storage.
  explicit Session(std::string_view version) : version_(version) {}

  /// One message of the client, whole. Appends what answers it.
  void on_message(char type, std::string_view body, std::string& out);
  /// The view that has to be looked up before anything goes on.
  std::optional<View> wants() const;
  /// `report` has what wants() asks for. Appends what answers it, and goes on.
  void answer(const Report& report, std::string& out);
  /// The client has said that it leaves.
  bool ended() const { return ended_; }
  /// Something is being answered.
  bool busy() const { return wants().has_value(); }

 private:
  struct Portal {
    std::optional<Statement> statement;      // nullopt: an empty text.
    std::string formats;                     // wire::ResultFormats.
    std::optional<wire::ResultTable> table;  // Once it was executed.
    size_t sent = 0;                         // Rows of it.
  };

  void on_query(std::string_view body, std::string& out);
  void on_parse(std::string_view body, std::string& out);
  void on_bind(std::string_view body, std::string& out);
  void on_describe(std::string_view body, std::string& out);
  void on_execute(std::string_view body, std::string& out);
  void on_close(std::string_view body, std::string& out);
  /// Carries out what needs no report, up to the first statement that does, or the end.
  void go_on(std::string& out);
  void finish(const Statement& statement, std::string& out);
  void send_rows(Portal& portal, std::string& out);
  void ready(std::string& out);
  void fail_segment(const Error& error, std::string& out);
  Portal* find_portal(std::string_view name);

  const std::string_view version_;
  std::map<std::string, std::optional<Statement>, std::less<>> statements_;
  std::map<std::string, Portal, std::less<>> portals_;
  std::deque<Statement> queue_;      // Of a Query.
  Portal* executing_ = nullptr;      // Of an Execute that waits for its report.
  uint32_t executing_rows_max_ = 0;  // 0: all.
  wire::TxStatus status_ = wire::TxStatus::kIdle;
  bool skipping_ = false;  // After an error, up to the Sync.
  bool in_query_ = false;
  bool ended_ = false;
};

}  // namespace fairlead::console
