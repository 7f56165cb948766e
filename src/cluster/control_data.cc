// Reading pg_controldata.
#include "cluster/control_data.h"

#include <fmt/format.h>

#include <charconv>

#include "cluster/layout.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

/// The rest of the line that begins with "`name`:", without blanks around it.
std::string_view value_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(':')) continue;
    const std::string_view rest = line.substr(name.size() + 1);
    const size_t begin = rest.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view() : rest.substr(begin);
  }
  return {};
}

}  // namespace

Result<ControlData> parse_control_data(std::string_view text) {
  ControlData out;
  out.system_identifier = value_of(text, "Database system identifier");
  out.state = value_of(text, "Database cluster state");
  const auto checkpoint = Lsn::parse(value_of(text, "Latest checkpoint location"));
  const std::string_view timeline = value_of(text, "Latest checkpoint's TimeLineID");
  std::from_chars(timeline.data(), timeline.data() + timeline.size(), out.timeline);
  if (out.system_identifier.empty() || out.state.empty() || !checkpoint || out.timeline == 0)
    return fail(ErrorCode::kIo, "pg_controldata says something else than expected", tail(text, 3));
  out.checkpoint = *checkpoint;
  return out;
}

Result<ControlData> read_control_data(const ClusterState& state, const OsUser& user,
                                      const NodeState& node) {
  const StopFlag never = false;
  Command command{.arguments = {state.spec.pg_bin + "/pg_controldata",
                                "--pgdata=" + Layout(state.spec.dir).data_dir(node.name)}};
  command.run_as = &user;
  const auto ending = run_good(command, never);
  if (!ending) return std::unexpected(ending.error());
  return parse_control_data(ending->out);
}

}  // namespace fairlead::cluster
