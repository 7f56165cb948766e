#include "app/demo_intro.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace fairlead::app {

std::string intro_text(const DemoIntro& intro) {
  std::string out = fmt::format(
      R"(
Ready: a primary, its replicas and the proxy, until Ctrl-C.

  automatic   psql '{}'
  reads only  psql '{}'
  primary     psql '{}'

Try
  SHOW fairlead.last_route                 in psql, after a statement: where it went, and why
  INSERT INTO posts (author_id, body) VALUES (1, 'hello'); then read it: you see your own writes
)",
      intro.automatic_url, intro.read_url, intro.primary_url);
  if (intro.replica_pid > 0)
    out += fmt::format(R"(  kill -9 {:<33}a replica dies ({}): reads go on
  {} cluster start --dir {}
                                           and it is back
)",
                       intro.replica_pid, intro.replica_address, intro.program, intro.cluster_dir);
  return out + fmt::format("  {} check -c {}\n\n", intro.program, intro.config_file);
}

std::string intro_json(const DemoIntro& intro) {
  boost::json::object out{{"event", "ready"},
                          {"url", intro.automatic_url},
                          {"read_url", intro.read_url},
                          {"primary_url", intro.primary_url},
                          {"config_file", intro.config_file},
                          {"cluster_dir", intro.cluster_dir}};
  if (intro.replica_pid > 0)
    out["replica"] = {{"node", intro.replica_address}, {"pid", intro.replica_pid}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace fairlead::app
