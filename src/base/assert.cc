#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace fairlead {

void assertion_failed(std::string_view what, std::source_location where) {
  std::fprintf(stderr, "fairlead: bug: %.*s (%s:%u in %s)\n", static_cast<int>(what.size()),
               what.data(), where.file_name(), where.line(), where.function_name());
  std::abort();
}

}  // namespace fairlead
