#include "console/views.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "base/ascii.h"
#include "base/assert.h"
#include "console/observe_tables.h"
#include "wire/printable.h"

namespace fairlead::console {
namespace {

using wire::ResultColumn;
using enum wire::ColumnType;

constexpr std::array kViews{
    ViewRow{View::kHelp, "help", "what the console answers", false},
    ViewRow{View::kObserve, "observe",
            "for each database in observe mode: how much could move to replicas", true},
    ViewRow{View::kObserveShapes, "observe_shapes",
            "the same by statement: what would become of it, why, and what would change that",
            true},
    ViewRow{View::kPins, "pins", "the clients that keep their server, and what ends that", true},
    ViewRow{View::kRoutes, "routes", "how many statements went where, and why", true},
    ViewRow{View::kVersion, "version", "the version of Fairlead", false},
};

constexpr std::array kHelpColumns{ResultColumn{"command"}, ResultColumn{"description"}};
constexpr std::array kVersionColumns{ResultColumn{"version"}};
constexpr std::array kRoutesColumns{ResultColumn{"reason"}, ResultColumn{"target"},
                                    ResultColumn{"count", kInt8}, ResultColumn{"share", kFloat8},
                                    ResultColumn{"description"}};
constexpr std::array kPinsColumns{ResultColumn{"client_id", kInt8},
                                  ResultColumn{"addr"},
                                  ResultColumn{"user"},
                                  ResultColumn{"database"},
                                  ResultColumn{"node"},
                                  ResultColumn{"server_pid", kInt8},
                                  ResultColumn{"reason"},
                                  ResultColumn{"since_s", kFloat8},
                                  ResultColumn{"description"}};

std::vector<std::vector<wire::ResultCell>> help_rows() {
  std::vector<std::vector<wire::ResultCell>> rows;
  for (const ViewRow& view : kViews) {
    rows.push_back({"SHOW " + upper(view.name), std::string(view.description)});
  }
  return rows;
}

/// Most frequent first; the share is of all statements that went to a server.
std::vector<std::vector<wire::ResultCell>> route_rows(const Report& report) {
  struct Line {
    sql::Reason reason;
    std::string_view target;
    uint64_t count;
  };
  std::vector<Line> lines;
  uint64_t total = 0;
  for (const sql::ReasonText& row : sql::kReasons) {
    const auto index = static_cast<size_t>(row.reason);
    for (const auto& [target, count] : {std::pair{"primary", report.to_primary[index]},
                                        std::pair{"replica", report.to_replica[index]}}) {
      if (count == 0) continue;
      lines.push_back({row.reason, target, count});
      total += count;
    }
  }
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    return std::tie(b.count, a.reason, a.target) < std::tie(a.count, b.reason, b.target);
  });
  std::vector<std::vector<wire::ResultCell>> rows;
  for (const Line& line : lines) {
    rows.push_back({std::string(sql::reason_name(line.reason)), std::string(line.target),
                    static_cast<int64_t>(line.count), share_of(line.count, total),
                    std::string(sql::reason_description(line.reason))});
  }
  return rows;
}

std::string descriptions(const PinnedClient& client) {
  std::string text;
  for (uint8_t i = 0; i < core::kPinReasonCount; ++i) {
    const core::PinReason reason{i};
    if (!client.reasons.has(reason)) continue;
    if (!text.empty()) text += "; ";
    text += core::sentence_of(reason);
  }
  if (!client.perhaps.empty()) text += "; perhaps also " + core::to_string(client.perhaps);
  return text;
}

/// The longest holder first.
std::vector<std::vector<wire::ResultCell>> pin_rows(const Report& report) {
  std::vector<const PinnedClient*> clients;
  for (const PinnedClient& client : report.pins) clients.push_back(&client);
  std::ranges::sort(clients, std::greater{}, &PinnedClient::since_s);
  std::vector<std::vector<wire::ResultCell>> rows;
  for (const PinnedClient* client : clients) {
    rows.push_back({int64_t{client->client_id}, client->addr, wire::printable(client->user),
                    wire::printable(client->database), client->node, int64_t{client->server_pid},
                    core::to_string(client->reasons), std::round(client->since_s * 1000) / 1000,
                    descriptions(*client)});
  }
  return rows;
}

}  // namespace

std::span<const ViewRow> views() { return kViews; }

std::optional<View> find_view(std::string_view name) {
  const std::string wanted = lower(name);
  for (const ViewRow& row : kViews)
    if (row.name == wanted) return row.view;
  return std::nullopt;
}

std::span<const wire::ResultColumn> columns_of(View view) {
  switch (view) {
    case View::kHelp:
      return kHelpColumns;
    case View::kObserve:
      return observe_columns();
    case View::kObserveShapes:
      return observe_shapes_columns();
    case View::kPins:
      return kPinsColumns;
    case View::kRoutes:
      return kRoutesColumns;
    case View::kVersion:
      return kVersionColumns;
  }
  unreachable("every View has columns");
}

wire::ResultTable table_of(View view, const Report& report, std::string_view version) {
  wire::ResultTable table{.columns = columns_of(view)};
  switch (view) {
    case View::kHelp:
      table.rows = help_rows();
      break;
    case View::kObserve:
      table.rows = observe_rows(report);
      break;
    case View::kObserveShapes:
      table.rows = observe_shapes_rows(report);
      break;
    case View::kPins:
      table.rows = pin_rows(report);
      break;
    case View::kRoutes:
      table.rows = route_rows(report);
      break;
    case View::kVersion:
      table.rows = {{"fairlead " + std::string(version)}};
      break;
  }
  return table;
}

}  // namespace fairlead::console
