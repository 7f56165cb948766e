// What a connection has reported in ParameterStatus (C1), and what a client has to be told so that
// it believes what its present server does (C7).
//
// An immutable value behind a pointer: ten thousand idle clients of one pool share one. Names keep
// the server's spelling (DateStyle) and are compared without case. Reading is safe on every thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::core {

struct ReportedParameter {
  std::string name;
  std::string value;
  bool operator==(const ReportedParameter&) const = default;
};

class ReportedParameters {
 public:
  /// PostgreSQL 18 reports 15. A server beyond this is no PostgreSQL.
  static constexpr size_t kNamesMax = 100;

  ReportedParameters() = default;

  /// A ParameterStatus came. False when it was one name too many, and was not kept.
  bool set(std::string_view name, std::string_view value);

  /// Whether both say the same; if so they share their content from now on (shared_content.h).
  bool share_if_equal(ReportedParameters& other);

  /// Ascending by lower-case name.
  std::span<const ReportedParameter> entries() const;
  /// Null when it was never reported. Valid until the next set().
  const std::string* find(std::string_view name) const;
  std::string_view value_or(std::string_view name, std::string_view otherwise) const;

  friend bool operator==(const ReportedParameters& a, const ReportedParameters& b) {
    return a.content_ == b.content_ || a.equals(b);
  }

 private:
  struct Content;
  bool equals(const ReportedParameters& other) const;

  std::shared_ptr<const Content> content_;
};

/// Names that some PostgreSQL from 13 to 18 reports.
bool is_reported_name(std::string_view name);
/// Describes the node, not the session: a client keeps what it was told at its login (C7).
bool describes_node(std::string_view name);
/// Reported, and a session can set it.
bool is_settable_report(std::string_view name);

/// What to send as ParameterStatus before the next ReadyForQuery. Points into `server_reports`.
std::vector<const ReportedParameter*> differences(const ReportedParameters& client_last_saw,
                                                  const ReportedParameters& server_reports);

/// What a new server connection must be told to SET to start where another node's starts: nodes may
/// have different defaults in their postgresql.conf, and C5 wants the same answers from all.
std::vector<const ReportedParameter*> settable_differences(const ReportedParameters& wanted,
                                                           const ReportedParameters& has);

}  // namespace fairlead::core
