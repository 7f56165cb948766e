// Every command of the program. Each function adds one command, with its options and an example, to
// the tree that is parsed; when that command is the one that was asked for, parsing leaves what
// to run in `chosen`. So nothing runs while the command line is still being read.
#pragma once

#include <functional>

#include "app/command_line.h"
#include "app/exit_code.h"

namespace fairlead::app {

using Command = std::function<ExitCode()>;

void add_up(CommandBuilder root, Command& chosen);
void add_check(CommandBuilder root, Command& chosen);
void add_explain(CommandBuilder root, Command& chosen);
void add_routes(CommandBuilder root, Command& chosen);
void add_pins(CommandBuilder root, Command& chosen);
void add_observe(CommandBuilder root, Command& chosen);
void add_demo(CommandBuilder root, Command& chosen);
void add_config(CommandBuilder root, Command& chosen);
void add_version(CommandBuilder root, Command& chosen);

void add_cluster(CommandBuilder root, Command& chosen);
void add_cluster_create(CommandBuilder group, Command& chosen);
void add_cluster_start(CommandBuilder group, Command& chosen);
void add_cluster_stop(CommandBuilder group, Command& chosen);
void add_cluster_destroy(CommandBuilder group, Command& chosen);
void add_cluster_status(CommandBuilder group, Command& chosen);
void add_cluster_promote(CommandBuilder group, Command& chosen);
void add_cluster_rejoin(CommandBuilder group, Command& chosen);
void add_cluster_verify(CommandBuilder group, Command& chosen);
void add_cluster_sync(CommandBuilder group, Command& chosen);
void add_cluster_switchover(CommandBuilder group, Command& chosen);
void add_cluster_add_replica(CommandBuilder group, Command& chosen);
void add_cluster_remove_replica(CommandBuilder group, Command& chosen);
void add_cluster_up(CommandBuilder group, Command& chosen);

}  // namespace fairlead::app
