#include "console/observe_tables.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sql/advice.h"
#include "wire/printable.h"

namespace fairlead::console {
namespace {

using core::Foreseen;
using sql::Reason;
using wire::ResultCell;
using wire::ResultColumn;
using enum wire::ColumnType;

constexpr std::array kObserveColumns{ResultColumn{"database"},
                                     ResultColumn{"since_s", kFloat8},
                                     ResultColumn{"statements", kInt8},
                                     ResultColumn{"statements_moving", kInt8},
                                     ResultColumn{"statements_share", kFloat8},
                                     ResultColumn{"reads", kInt8},
                                     ResultColumn{"reads_moving", kInt8},
                                     ResultColumn{"reads_share", kFloat8},
                                     ResultColumn{"waits", kInt8},
                                     ResultColumn{"no_replica", kInt8},
                                     ResultColumn{"fails", kInt8},
                                     ResultColumn{"transactions", kInt8},
                                     ResultColumn{"transactions_moving", kInt8},
                                     ResultColumn{"transactions_only_reading", kInt8}};

constexpr std::array kShapesColumns{ResultColumn{"database"},     ResultColumn{"outcome"},
                                    ResultColumn{"reason"},       ResultColumn{"read"},
                                    ResultColumn{"count", kInt8}, ResultColumn{"share", kFloat8},
                                    ResultColumn{"shape"},        ResultColumn{"change"}};

int64_t figure(uint64_t value) { return static_cast<int64_t>(value); }

/// What would free the shape; empty where it moves already.
std::string_view change_of(const core::ObservedShape& shape) {
  switch (shape.foreseen) {
    case Foreseen::kMoves:
      return {};
    case Foreseen::kWaits:
      return sql::advice(Reason::kOwnWrite);
    case Foreseen::kNoReplica:
      return sql::advice(Reason::kNoReplica);
    case Foreseen::kFails:
      return "A node by its host:port that is usable for reads, and a position of this cluster.";
    case Foreseen::kStays:
      break;
  }
  if (shape.reason == Reason::kCatalogLoading)
    return "Nothing: the database's functions were not known yet; later ones are decided anew.";
  return sql::advice(shape.reason);
}

}  // namespace

double share_of(uint64_t part, uint64_t whole) {
  if (whole == 0) return 0;
  return std::round(static_cast<double>(part) / static_cast<double>(whole) * 1e4) / 1e4;
}

std::span<const ResultColumn> observe_columns() { return kObserveColumns; }
std::span<const ResultColumn> observe_shapes_columns() { return kShapesColumns; }

std::vector<std::vector<ResultCell>> observe_rows(const Report& report) {
  std::vector<const ObservedDatabase*> databases;
  for (const ObservedDatabase& observed : report.observed) databases.push_back(&observed);
  std::ranges::sort(databases, {}, &ObservedDatabase::database);
  std::vector<std::vector<ResultCell>> rows;
  for (const ObservedDatabase* observed : databases) {
    const core::ObservedTotals& t = observed->totals;
    const auto moving = static_cast<size_t>(Foreseen::kMoves);
    const auto with = [&](Foreseen outcome) {
      return figure(t.statements_by[static_cast<size_t>(outcome)]);
    };
    rows.push_back({wire::printable(observed->database),
                    std::round(observed->since_s * 1000) / 1000, figure(t.statements),
                    with(Foreseen::kMoves), share_of(t.statements_by[moving], t.statements),
                    figure(t.reads), figure(t.reads_by[moving]),
                    share_of(t.reads_by[moving], t.reads), with(Foreseen::kWaits),
                    with(Foreseen::kNoReplica), with(Foreseen::kFails), figure(t.transactions),
                    figure(t.transactions_moving), figure(t.transactions_only_reading)});
  }
  return rows;
}

std::vector<std::vector<ResultCell>> observe_shapes_rows(const Report& report) {
  struct Line {
    const ObservedDatabase* of;
    const core::ObservedShape* shape;
  };
  std::vector<Line> lines;
  for (const ObservedDatabase& observed : report.observed)
    for (const core::ObservedShape& shape : observed.shapes) lines.push_back({&observed, &shape});
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    if (a.shape->count != b.shape->count) return a.shape->count > b.shape->count;
    return std::tie(a.of->database, a.shape->shape) < std::tie(b.of->database, b.shape->shape);
  });
  std::vector<std::vector<ResultCell>> rows;
  for (const auto& [of, shape] : lines) {
    rows.push_back({wire::printable(of->database), std::string(core::name_of(shape->foreseen)),
                    std::string(sql::reason_name(shape->reason)), shape->is_read ? "yes" : "no",
                    figure(shape->count), share_of(shape->count, of->totals.statements),
                    wire::printable(shape->shape, core::kObservedShapeBytesMax),
                    std::string(change_of(*shape))});
  }
  return rows;
}

}  // namespace fairlead::console
