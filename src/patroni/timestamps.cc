#include "patroni/timestamps.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "config/units.h"

namespace fairlead::patroni {
namespace {

/// Takes what is expected from the front of a text. After the first thing that is not there, ok()
/// is false for good.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(size_t count, int max) {
    const auto value = config::parse_number(rest_.substr(0, count), static_cast<uint64_t>(max));
    if (rest_.size() < count || !value) return fail();
    rest_.remove_prefix(count);
    return static_cast<int>(*value);
  }
  void literal(std::string_view text) {
    if (!take(text)) fail();
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void skip_digits() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of("0123456789"), rest_.size()));
  }
  std::string_view word(size_t length) {
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(word.size());
    return word;
  }
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Moment {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

std::optional<int64_t> unix_time(const Moment& moment, int zone_s) {
  using namespace std::chrono;
  const year_month_day date{year{moment.year}, month{static_cast<unsigned>(moment.month)},
                            day{static_cast<unsigned>(moment.day)}};
  if (!date.ok()) return std::nullopt;
  const int64_t days = sys_days{date}.time_since_epoch().count();
  return days * 86'400 + moment.hour * 3'600 + moment.minute * 60 + moment.second - zone_s;
}

void read_clock(Reader& in, Moment& moment) {
  moment.hour = in.digits(2, 23);
  in.literal(":");
  moment.minute = in.digits(2, 59);
  in.literal(":");
  moment.second = in.digits(2, 60);  // A leap second.
}

int read_zone_s(Reader& in) {
  if (in.take("Z")) return 0;
  const int sign = in.take("-") ? -1 : 1;
  if (sign > 0) in.literal("+");
  const int hours = in.digits(2, 23);
  in.literal(":");
  return sign * (hours * 3'600 + in.digits(2, 59) * 60);
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::optional<int64_t> parse_iso_time(std::string_view text) {
  Reader in(text);
  Moment moment;
  moment.year = in.digits(4, 9999);
  in.literal("-");
  moment.month = in.digits(2, 12);
  in.literal("-");
  moment.day = in.digits(2, 31);
  if (!in.take("T")) in.literal(" ");
  read_clock(in, moment);
  if (in.take(".")) in.skip_digits();
  const int zone_s = read_zone_s(in);
  return in.finished() ? unix_time(moment, zone_s) : std::nullopt;
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  Reader in(text);
  Moment moment;
  in.word(3);
  in.literal(", ");
  moment.day = in.digits(2, 31);
  in.literal(" ");
  const auto month = std::ranges::find(kMonths, in.word(3));
  if (month == kMonths.end()) return std::nullopt;
  moment.month = static_cast<int>(month - kMonths.begin()) + 1;
  in.literal(" ");
  moment.year = in.digits(4, 9999);
  in.literal(" ");
  read_clock(in, moment);
  in.literal(" GMT");
  return in.finished() ? unix_time(moment, 0) : std::nullopt;
}

}  // namespace fairlead::patroni
