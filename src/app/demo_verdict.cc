#include "app/demo_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace fairlead::app {

namespace {

std::string meaning_of(const std::string& state) {
  if (state.empty()) return "the connection was lost, or could not be made";
  if (state == "08006") return "lost with its server before anything was committed";
  if (state == "08007") return "the outcome of a write is not known";
  if (state == "57P03") return "there was no primary in time";
  return "";
}

}  // namespace

PostsFound compare_posts(std::vector<uint64_t> acknowledged, std::vector<uint64_t> found) {
  std::ranges::sort(acknowledged);
  std::ranges::sort(found);
  PostsFound out{.acknowledged = acknowledged.size()};
  for (const uint64_t number : acknowledged)
    out.lost += std::ranges::binary_search(found, number) ? 0 : 1;
  for (size_t i = 0; i < found.size(); ++i) {
    if (i > 0 && found[i] == found[i - 1])
      ++out.repeated;
    else if (!std::ranges::binary_search(acknowledged, found[i]))
      ++out.unanswered;
  }
  return out;
}

std::string verdict_text(const DemoVerdict& verdict) {
  const WorkloadTotals& totals = verdict.totals;
  const PostsFound& posts = verdict.posts;
  std::string out = fmt::format("\nThe {} {} was killed", verdict.killed_role, verdict.killed_node);
  out += verdict.primary_now.empty()
             ? ", and there is no primary now.\n"
             : fmt::format("; the primary is {} now.\n", verdict.primary_now);
  out += fmt::format("  answers              {}\n", totals.reads + totals.writes);
  out += fmt::format("  errors               {}\n", totals.errors);
  for (const auto& [state, count] : totals.errors_by_state)
    out += fmt::format("    {:<17}  {}  {}\n", state.empty() ? "no SQLSTATE" : state, count,
                       meaning_of(state));
  out += fmt::format("  longest wait         {:.2f} s\n", in_seconds(totals.longest_wait));
  out += fmt::format("  acknowledged posts   {}: {} lost, {} there twice\n", posts.acknowledged,
                     posts.lost, posts.repeated);
  if (posts.unanswered > 0)
    out += fmt::format("  unanswered posts     {} are there after all\n", posts.unanswered);
  return out;
}

std::string verdict_json(const DemoVerdict& verdict) {
  boost::json::object errors;
  for (const auto& [state, count] : verdict.totals.errors_by_state) errors[state] = count;
  const boost::json::object out{{"event", "verdict"},
                                {"killed_role", verdict.killed_role},
                                {"killed_node", verdict.killed_node},
                                {"primary", verdict.primary_now},
                                {"answers", verdict.totals.reads + verdict.totals.writes},
                                {"errors", verdict.totals.errors},
                                {"errors_by_sqlstate", std::move(errors)},
                                {"longest_wait_seconds", in_seconds(verdict.totals.longest_wait)},
                                {"acknowledged_posts", verdict.posts.acknowledged},
                                {"lost_posts", verdict.posts.lost},
                                {"repeated_posts", verdict.posts.repeated},
                                {"unanswered_posts_found", verdict.posts.unanswered}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace fairlead::app
