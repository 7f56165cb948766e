#include "proxy/probe_answer.h"

#include <fmt/format.h>

#include <charconv>

#include "wire/printable.h"

namespace fairlead::proxy {

const std::string_view kIdentitySql =
    R"(PREPARE fairlead_probe AS
SELECT r.in_recovery,
       CASE WHEN r.in_recovery THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_flush_lsn() END,
       CASE WHEN r.in_recovery THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END,
       CASE WHEN r.in_recovery
            THEN COALESCE((SELECT NULLIF(received_tli, 0) FROM pg_stat_wal_receiver),
                          (SELECT GREATEST(c.timeline_id, m.min_recovery_end_timeline)
                             FROM pg_control_checkpoint() c, pg_control_recovery() m))::text
            ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,
       CASE WHEN current_setting('fairlead.hold_writes_until', true) ~ '^[0-9]{1,12}$'
            THEN current_setting('fairlead.hold_writes_until')::int8 >
                 extract(epoch FROM clock_timestamp())
            ELSE false END,
       CASE WHEN r.in_recovery THEN NULL ELSE pg_last_wal_replay_lsn() END
  FROM (SELECT pg_is_in_recovery() AS in_recovery OFFSET 0) r;
SELECT s.system_identifier, i.wal_block_size, i.bytes_per_wal_segment,
       current_setting('server_version_num'),
       (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,
       pg_has_role('pg_read_all_stats', 'USAGE')
  FROM pg_control_system() s, pg_control_init() i)";

const std::string_view kProbeSql = "EXECUTE fairlead_probe";

namespace {

constexpr uint64_t kShortPageHeader =
    24;  // SizeOfXLogShortPHD: of every page but a segment's first.
constexpr uint64_t kLongPageHeader = 40;  // SizeOfXLogLongPHD.

/// Reads the fields of one row in order. After the first one that is not as asked, ok() is false.
class RowReader {
 public:
  explicit RowReader(const Row& row) : row_(row) {}

  template <class Number>
  Number number(int base = 10) {
    const std::string_view text = next();
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) ok_ = false;
    return value;
  }
  bool boolean() {
    const std::string_view text = next();
    if (text != "t" && text != "f") ok_ = false;
    return text == "t";
  }
  Lsn lsn() {
    const auto value = Lsn::parse(next());
    if (!value) ok_ = false;
    return value.value_or(Lsn{});
  }
  /// NULL is "no position".
  Lsn lsn_or_none() {
    if (at_ < row_.size() && !row_[at_]) {
      ++at_;
      return Lsn{};
    }
    return lsn();
  }
  bool ok() const { return ok_ && at_ == row_.size(); }

 private:
  std::string_view next() {
    if (at_ >= row_.size() || !row_[at_]) {
      ok_ = false;
      return {};
    }
    return *row_[at_++];
  }

  const Row& row_;
  size_t at_ = 0;
  bool ok_ = true;
};

std::unexpected<Error> unexpected_rows(std::string_view what, std::span<const Row> rows) {
  std::string seen;
  if (!rows.empty()) {
    for (const auto& field : rows[0]) seen += field.value_or("NULL") + " ";
  }
  return fail(ErrorCode::kProtocolViolation,
              fmt::format("the answer to the {} is not as asked", what),
              fmt::format("{} rows; first: {}", rows.size(), wire::printable(seen, 200)),
              "Something between Fairlead and PostgreSQL may answer in its place.");
}

}  // namespace

Result<NodeIdentity> read_identity(std::span<const Row> rows) {
  if (rows.size() != 1) return unexpected_rows("identity question", rows);
  RowReader row(rows[0]);
  NodeIdentity identity;
  // pg_control_system() shows the unsigned number as a signed one.
  identity.system_identifier = static_cast<uint64_t>(row.number<int64_t>());
  identity.wal_page_size = row.number<uint64_t>();
  identity.wal_segment_size = row.number<uint64_t>();
  identity.server_version = row.number<uint32_t>();
  identity.postmaster_started_us = row.number<int64_t>();
  identity.sees_receiver = row.boolean();
  if (!row.ok() || identity.wal_page_size == 0 || identity.wal_segment_size == 0)
    return unexpected_rows("identity question", rows);
  return identity;
}

Result<core::NodeObservation> read_observation(std::span<const Row> rows,
                                               const NodeIdentity& identity) {
  if (rows.size() != 1) return unexpected_rows("probe", rows);
  RowReader row(rows[0]);
  core::NodeObservation seen;
  seen.in_recovery = row.boolean();
  if (seen.in_recovery) {
    seen.receive_lsn = row.lsn_or_none();  // NULL until it first streams.
    seen.replay_lsn = row.lsn_or_none();
    seen.timeline = row.number<uint32_t>();
  } else {
    seen.flush_lsn = row.lsn();
    seen.insert_lsn = reachable(row.lsn(), seen.flush_lsn, identity);
    seen.timeline = row.number<uint32_t>(16);
  }
  seen.holds_writes = row.boolean() && !seen.in_recovery;
  seen.promoted_at = row.lsn_or_none();
  if (!row.ok()) return unexpected_rows("probe", rows);
  seen.system_identifier = identity.system_identifier;
  seen.postmaster_started_us = identity.postmaster_started_us;
  seen.server_version = identity.server_version;
  return seen;
}

std::optional<int64_t> microseconds_of(std::string_view epoch) {
  constexpr size_t kFraction = 6;
  const size_t point = epoch.find('.');
  if (point == std::string_view::npos || epoch.size() - point - 1 != kFraction) return std::nullopt;
  std::string digits(epoch.substr(0, point));
  digits += epoch.substr(point + 1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Lsn reachable(Lsn insert, Lsn flush, const NodeIdentity& identity) {
  if (insert == flush) return insert;  // Replicas can reach what is flushed, as it is.
  if (insert.value % identity.wal_segment_size == kLongPageHeader)
    return Lsn{insert.value - kLongPageHeader};
  if (insert.value % identity.wal_page_size == kShortPageHeader)
    return Lsn{insert.value - kShortPageHeader};
  return insert;
}

}  // namespace fairlead::proxy
