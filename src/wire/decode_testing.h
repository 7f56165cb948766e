// What every decoder's test asks. Included by tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "wire/limits.h"

namespace fairlead::wire {

/// The body of the one frame in `frame`, as the encoders make it.
inline std::string body_of(std::string_view frame) {
  return std::string(frame.substr(kFrameHeaderSize));
}

/// Encodes with `append` and gives the body.
template <class Append>
std::string body_from(Append append) {
  std::string out;
  append(out);
  return body_of(out);
}

/// `decode` (a callable that gives a Result) takes `body` and refuses every shorter beginning of it
/// and the same with a byte behind it. Each input is copied to a heap block of its exact size, so
/// that the address sanitizer sees a read beyond its end.
template <class Decode>
void expect_exact(std::string_view body, Decode decode) {
  EXPECT_TRUE(decode(body).has_value()) << "the whole body is legal";
  for (size_t size = 0; size < body.size(); ++size) {
    const std::vector<char> cut(body.begin(), body.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(decode(std::string_view(cut.data(), cut.size())).has_value())
        << "cut to " << size << " of " << body.size() << " bytes";
  }
  EXPECT_FALSE(decode(std::string(body) + 'x').has_value()) << "one byte too many";
}

}  // namespace fairlead::wire
