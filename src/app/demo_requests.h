// What the demonstration's clients ask for: mostly reads by id, lists of posts, now and then a
// write. Pure: request number n is the same every time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/sample_data.h"

namespace fairlead::app {

struct DemoRequest {
  enum class Kind : uint8_t { kUserById, kPostsOfUser, kNewestPosts, kNewPost, kMove };
  Kind kind = Kind::kUserById;
  std::string sql;

  bool is_write() const { return kind == Kind::kNewPost || kind == Kind::kMove; }
};

/// kNewPost returns the new post's id as the only column.
DemoRequest make_request(uint64_t number, const cluster::SampleSize& size);

/// What the post of request `number` says; and the number again, if a body is one of these.
std::string post_body(uint64_t number);
std::optional<uint64_t> number_of_post(std::string_view body);

/// Reads what kNewPost has just written.
std::string read_back_sql(const std::string& post_id);

}  // namespace fairlead::app
