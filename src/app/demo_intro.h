// What the demonstration tells its visitor when it is ready: the URLs, and what to try. Pure.
#pragma once

#include <string>
#include <vector>

#include "cluster/cluster.h"
#include "proxy/proxy.h"

namespace fairlead::app {

struct DemoIntro {
  std::string program;  // What to type to run us again.
  std::string cluster_dir;
  std::string config_file;
  std::string automatic_url;
  std::string read_url;
  std::string primary_url;
  std::string replica_address;  // The one to kill; empty: there is none.
  int replica_pid = 0;
};

std::string intro_text(const DemoIntro& intro);
std::string intro_json(const DemoIntro& intro);

}  // namespace fairlead::app
