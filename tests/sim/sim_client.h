// What one client of the simulation sends: random requests in both protocols, whole ones, with its
// own name in everything that it writes.
#pragma once

#include <string>

#include "sim/choices.h"

namespace fairlead::sim {

class SimClient {
 public:
  explicit SimClient(uint32_t number) : name_("c" + std::to_string(number)) {}

  /// The next request; the segment that it opens may be left open for the next one.
  std::string request(Choices& choices);
  /// A read that is complete in itself, in either protocol.
  std::string read(Choices& choices);
  /// Ends what is open, so that the server owes nothing afterwards.
  std::string last_request();
  const std::string& name() const { return name_; }

 private:
  std::string query(Choices& choices);
  std::string segment(Choices& choices);
  std::string copy(Choices& choices);
  std::string text(Choices& choices);
  std::string token();

  std::string name_;
  uint32_t tokens_ = 0;
  bool open_ = false;  // Extended messages were sent without a Sync.
};

}  // namespace fairlead::sim
