// The two forms of a point in time that Patroni's answers have, as Unix time. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fairlead::patroni {

/// "2026-11-27T09:00:00+01:00", with or without a fraction of a second, which does not count; "Z"
/// for +00:00. Without a zone it is no point in time: nullopt.
std::optional<int64_t> parse_iso_time(std::string_view text);

/// The Date of an HTTP answer: "Fri, 27 Nov 2026 08:54:03 GMT".
std::optional<int64_t> parse_http_date(std::string_view text);

}  // namespace fairlead::patroni
