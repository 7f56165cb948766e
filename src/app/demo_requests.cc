#include "app/demo_requests.h"

#include <fmt/format.h>

#include <charconv>

namespace fairlead::app {

namespace {

constexpr std::string_view kWrittenBy = "Written by request ";

/// Scatters consecutive numbers over the whole range (splitmix64).
uint64_t scatter(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

DemoRequest::Kind kind_of(uint64_t hundredth) {
  using Kind = DemoRequest::Kind;
  if (hundredth < 55) return Kind::kUserById;
  if (hundredth < 80) return Kind::kPostsOfUser;
  if (hundredth < 90) return Kind::kNewestPosts;
  if (hundredth < 96) return Kind::kNewPost;
  return Kind::kMove;
}

}  // namespace

DemoRequest make_request(uint64_t number, const cluster::SampleSize& size) {
  using Kind = DemoRequest::Kind;
  const uint64_t dice = scatter(number);
  const uint64_t user = 1 + (dice >> 8) % static_cast<uint64_t>(size.users);
  const Kind kind = kind_of(dice % 100);
  switch (kind) {
    case Kind::kUserById:
      return {kind, fmt::format("SELECT * FROM users WHERE id = {}", user)};
    case Kind::kPostsOfUser:
      return {kind, fmt::format("SELECT id, body, created_at FROM posts WHERE author_id = {} "
                                "ORDER BY created_at DESC LIMIT 20",
                                user)};
    case Kind::kNewestPosts:
      return {kind,
              "SELECT p.id, p.body, u.first_name, u.last_name FROM posts p JOIN users u "
              "ON u.id = p.author_id ORDER BY p.created_at DESC LIMIT 20"};
    case Kind::kNewPost:
      return {kind,
              fmt::format("INSERT INTO posts (author_id, body) VALUES ({}, '{}') RETURNING id",
                          user, post_body(number))};
    case Kind::kMove:
      return {kind, fmt::format("UPDATE users SET city = '{}' WHERE id = {}",
                                number % 2 == 0 ? "Lisbon" : "Oslo", user)};
  }
  return {};
}

std::string post_body(uint64_t number) { return fmt::format("{}{}", kWrittenBy, number); }

std::optional<uint64_t> number_of_post(std::string_view body) {
  if (!body.starts_with(kWrittenBy)) return std::nullopt;
  body.remove_prefix(kWrittenBy.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), number);
  if (error != std::errc{} || end != body.data() + body.size()) return std::nullopt;
  return number;
}

std::string read_back_sql(const std::string& post_id) {
  return fmt::format("SELECT id FROM posts WHERE id = {}", post_id);
}

}  // namespace fairlead::app
