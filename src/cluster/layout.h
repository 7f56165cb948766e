// Where everything of a cluster lies below its folder. Pure.
//
// clang-format off
//   DIR/.fairlead-cluster   the marker: without it nothing here is ever removed
//   DIR/cluster.json        what the cluster is and how far it was made (passwords: mode 0600)
//   DIR/fairlead.toml       a configuration for fairlead up, which commands keep true while it is
//                           as it was written (passwords: mode 0600)
//   DIR/users.txt           who may log in there (the same)
//   DIR/lock                held (flock) by the command that is at work here
//   DIR/supervisor          held by the one that watches
//   DIR/s/                  Unix sockets; a short name because socket paths are limited
//   DIR/log/node1.log       what each server says
//   DIR/node1/ ...          one data directory per node
// clang-format on
//
// DIR and its files belong to whoever runs the commands, so that the servers' user cannot exchange
// them under root's hands; s/, log/ and the nodes belong to the servers' user.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace fairlead::cluster {

class Layout {
 public:
  explicit Layout(std::string dir) : dir_(std::move(dir)) {}

  const std::string& dir() const { return dir_; }
  std::string marker() const { return dir_ + "/.fairlead-cluster"; }
  std::string state_file() const { return dir_ + "/cluster.json"; }
  std::string config_file() const { return dir_ + "/fairlead.toml"; }
  std::string users_file() const { return dir_ + "/users.txt"; }
  std::string lock_file() const { return dir_ + "/lock"; }
  std::string supervisor_lock() const { return dir_ + "/supervisor"; }
  std::string socket_dir() const { return dir_ + "/s"; }
  std::string log_dir() const { return dir_ + "/log"; }
  std::string socket(uint16_t port) const {
    return socket_dir() + "/.s.PGSQL." + std::to_string(port);
  }
  std::string data_dir(const std::string& node) const { return dir_ + "/" + node; }
  std::string log_file(const std::string& node) const { return log_dir() + "/" + node + ".log"; }

 private:
  std::string dir_;
};

}  // namespace fairlead::cluster
