// Every command of the program. Each function adds one command, with its options and an example, to
// the tree that CLI11 parses; when that command is the one that was asked for, parsing leaves what
// to run in `chosen`. So nothing runs while the command line is still being read.
#pragma once

#include <functional>

#include "app/exit_code.h"

namespace CLI {
class App;
}

namespace fairlead::app {

using Command = std::function<ExitCode()>;

void add_up(CLI::App& root, Command& chosen);
void add_check(CLI::App& root, Command& chosen);
void add_explain(CLI::App& root, Command& chosen);
void add_routes(CLI::App& root, Command& chosen);
void add_pins(CLI::App& root, Command& chosen);
void add_observe(CLI::App& root, Command& chosen);
void add_demo(CLI::App& root, Command& chosen);
void add_config(CLI::App& root, Command& chosen);
void add_version(CLI::App& root, Command& chosen);

void add_cluster(CLI::App& root, Command& chosen);
void add_cluster_create(CLI::App& group, Command& chosen);
void add_cluster_start(CLI::App& group, Command& chosen);
void add_cluster_stop(CLI::App& group, Command& chosen);
void add_cluster_destroy(CLI::App& group, Command& chosen);
void add_cluster_status(CLI::App& group, Command& chosen);
void add_cluster_promote(CLI::App& group, Command& chosen);
void add_cluster_rejoin(CLI::App& group, Command& chosen);
void add_cluster_verify(CLI::App& group, Command& chosen);
void add_cluster_sync(CLI::App& group, Command& chosen);
void add_cluster_switchover(CLI::App& group, Command& chosen);
void add_cluster_add_replica(CLI::App& group, Command& chosen);
void add_cluster_remove_replica(CLI::App& group, Command& chosen);
void add_cluster_up(CLI::App& group, Command& chosen);

}  // namespace fairlead::app
