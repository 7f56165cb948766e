#include "patroni/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <limits>

#include "patroni/timestamps.h"
#include "wire/printable.h"

namespace fairlead::patroni {
namespace {

namespace json = boost::json;

// Patroni's answers are three levels deep.
constexpr size_t kDepthMax = 16;
constexpr size_t kNameMax = 255;

Error not_as_expected(std::string_view answer, std::string_view why) {
  return {ErrorCode::kProtocolViolation,
          fmt::format("the answer to GET {} is not as Patroni gives it", answer), std::string(why),
          "Check that the URL is that of Patroni's REST API."};
}

Result<json::value> parse_json(std::string_view answer, std::string_view body) {
  if (body.size() > kAnswerMax)
    return std::unexpected(not_as_expected(
        answer, fmt::format("it has {} bytes, more than {}", body.size(), kAnswerMax)));
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::value value = json::parse({body.data(), body.size()}, error, {}, options);
  if (!error) return value;
  return std::unexpected(not_as_expected(
      answer,
      fmt::format("{} bytes that are not one JSON value: {}", body.size(), error.message())));
}

/// Reads the fields of one JSON object. The first one of a wrong type is kept as what is broken; a
/// field that is not there, or null, is the default.
class FieldReader {
 public:
  FieldReader(const json::value& value, std::string& broken)
      : object_(value.if_object()), broken_(broken) {
    if (object_ == nullptr) break_on("not an object");
  }

  bool has(std::string_view name) const { return find(name) != nullptr; }

  std::string text(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return {};
    const json::string* text = value->if_string();
    if (text == nullptr || text->size() > kNameMax) return break_on(name), std::string();
    const std::string_view view{text->data(), text->size()};
    // They go into the log, into the console and onto a terminal, and no real one needs it.
    if (wire::printable(view, kNameMax) != view) return break_on(name), std::string();
    return std::string(view);
  }

  bool boolean(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return false;
    const bool* is = value->if_bool();
    if (is == nullptr) return break_on(name), false;
    return *is;
  }

  /// As Python takes a tag for true: whatever somebody wrote into a YAML file.
  bool tag(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return false;
    if (const bool* is = value->if_bool()) return *is;
    if (const json::string* text = value->if_string())
      return !text->empty() && *text != "false" && *text != "no" && *text != "off" && *text != "0";
    return !value->is_int64() || value->get_int64() != 0;
  }

  std::optional<int64_t> number(std::string_view name, int64_t max) {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<int64_t>(error);  // 5432.0 counts, 5432.5 does not.
    if (error || number < 0 || number > max) return break_on(name), std::nullopt;
    return number;
  }

  /// The value of a field that must be an object; null when it is not there.
  const json::value* object(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && !value->is_object()) return break_on(name), nullptr;
    return value;
  }

  const json::array* array(std::string_view name) {
    const json::value* value = find(name);
    const json::array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) break_on(name);
    return array;
  }

  void break_on(std::string_view what) {
    if (broken_.empty()) broken_ = what;
  }

 private:
  const json::value* find(std::string_view name) const {
    if (object_ == nullptr) return nullptr;
    const json::value* value = object_->if_contains({name.data(), name.size()});
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  const json::object* object_;
  std::string& broken_;
};

Member read_member(const json::value& value, std::string& broken) {
  FieldReader in(value, broken);
  Member member;
  member.name = in.text("name");
  if (member.name.empty()) in.break_on("a member's name");
  const std::string role = in.text("role");
  if (role.empty()) in.break_on("a member's role");
  member.is_leader = role == "leader" || role == "master";
  member.state = in.text("state");
  const std::string host = in.text("host");
  const auto port = in.number("port", 65'535);
  if (!host.empty() && !config::is_host(host)) in.break_on("host");
  if (!host.empty() && port && *port > 0)
    member.address = config::NodeAddress{host, static_cast<uint16_t>(*port)};
  if (const json::value* tags = in.object("tags")) {
    FieldReader in_tags(*tags, broken);
    member.noloadbalance = in_tags.tag("noloadbalance");
    member.nofailover = in_tags.tag("nofailover");
  }
  return member;
}

std::optional<ScheduledSwitchover> read_switchover(const json::value* value, std::string& broken) {
  if (value == nullptr) return std::nullopt;
  FieldReader in(*value, broken);
  const auto at = parse_iso_time(in.text("at"));
  if (!at) in.break_on("scheduled_switchover.at");
  return ScheduledSwitchover{.at_s = at.value_or(0), .from = in.text("from"), .to = in.text("to")};
}

/// What would make a list of members two lists in one.
std::string contradiction_in(const std::vector<Member>& members) {
  if (members.size() > kMembersMax) return fmt::format("more than {} members", kMembersMax);
  for (size_t i = 0; i < members.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (members[i].name == members[j].name) return "two members are named " + members[i].name;
      if (members[i].address && members[i].address == members[j].address)
        return "two members listen on " + members[i].address->to_string();
      if (members[i].is_leader && members[j].is_leader)
        return "two leaders: " + members[j].name + " and " + members[i].name;
    }
  }
  return {};
}

/// One line of GET /history: [timeline, position, reason, when?, new leader?].
std::optional<core::TimelineSwitch> read_history_line(const json::value& value) {
  const json::array* line = value.if_array();
  if (line == nullptr || line->size() < 2) return std::nullopt;
  boost::system::error_code error;
  const auto timeline = (*line)[0].to_number<uint32_t>(error);
  if (error || timeline == 0) return std::nullopt;
  const auto at = (*line)[1].to_number<uint64_t>(error);
  if (error) return std::nullopt;
  return core::TimelineSwitch{timeline, Lsn{at}};
}

}  // namespace

const Member* ClusterAnswer::leader() const {
  const auto found = std::ranges::find_if(members, &Member::is_leader);
  return found == members.end() ? nullptr : &*found;
}

Result<ClusterAnswer> parse_cluster(std::string_view body) {
  auto value = parse_json("/cluster", body);
  if (!value) return std::unexpected(value.error());
  std::string broken;
  FieldReader in(*value, broken);
  ClusterAnswer answer;
  if (const json::array* members = in.array("members")) {
    for (const json::value& member : *members) {
      answer.members.push_back(read_member(member, broken));
      if (!broken.empty() || answer.members.size() > kMembersMax) break;
    }
  }
  answer.scope = in.text("scope");
  answer.paused = in.boolean("pause");
  answer.switchover = read_switchover(in.object("scheduled_switchover"), broken);
  if (!broken.empty()) return std::unexpected(not_as_expected("/cluster", "see: " + broken));
  if (std::string why = contradiction_in(answer.members); !why.empty())
    return std::unexpected(not_as_expected("/cluster", why));
  return answer;
}

Result<StatusAnswer> parse_status(std::string_view body) {
  auto value = parse_json("/patroni", body);
  if (!value) return std::unexpected(value.error());
  std::string broken;
  FieldReader in(*value, broken);
  StatusAnswer answer;
  answer.state = in.text("state");
  const std::string role = in.text("role");
  if (role.empty()) in.break_on("role");
  answer.is_primary = role == "primary" || role == "master";
  answer.cluster_unlocked = in.boolean("cluster_unlocked");
  answer.failsafe_active = in.boolean("failsafe_mode_is_active");
  answer.paused = in.boolean("pause");
  answer.dcs_last_seen_s = in.number("dcs_last_seen", std::numeric_limits<int32_t>::max() * 4LL);
  if (answer.dcs_last_seen_s == 0) answer.dcs_last_seen_s.reset();  // It has not been heard yet.
  if (const std::string text = in.text("database_system_identifier"); !text.empty()) {
    const auto id = config::parse_number(text, std::numeric_limits<uint64_t>::max());
    if (!id) in.break_on("database_system_identifier");
    answer.system_identifier = id.value_or(0);
  }
  if (const json::value* patroni = in.object("patroni")) {
    FieldReader in_patroni(*patroni, broken);
    answer.scope = in_patroni.text("scope");
    answer.version = in_patroni.text("version");
  }
  if (!broken.empty()) return std::unexpected(not_as_expected("/patroni", "see: " + broken));
  return answer;
}

Result<std::optional<core::TimelineHistory>> parse_history(std::string_view body) {
  auto value = parse_json("/history", body);
  if (!value) return std::unexpected(value.error());
  const json::array* lines = value->if_array();
  if (lines == nullptr) return std::unexpected(not_as_expected("/history", "not a list"));
  core::TimelineHistory history;
  for (const json::value& line : *lines) {
    const auto left = read_history_line(line);
    const bool rises =
        left && (history.ancestors.empty() || left->timeline > history.ancestors.back().timeline);
    if (!rises)
      return std::unexpected(
          not_as_expected("/history", fmt::format("see: line {}", history.ancestors.size() + 1)));
    history.ancestors.push_back(*left);
  }
  const bool is_whole = history.ancestors.empty() || history.ancestors.front().timeline == 1;
  if (!is_whole) return std::optional<core::TimelineHistory>();
  return std::optional(std::move(history));
}

}  // namespace fairlead::patroni
