// What a client was told, in a form in which two ways of telling the same are equal.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace fairlead::sim {

/// What a client is told, without what may differ: reports are compared as a whole, Fairlead's
/// words for an error are its own, and pieces have no borders.
struct Transcript {
  std::string answers;
  std::map<std::string, std::string> reports;
  size_t ready = 0;
  bool fatal = false;
  bool broken = false;  // It does not end with a whole message.
};

Transcript read_transcript(std::string_view bytes);

}  // namespace fairlead::sim
