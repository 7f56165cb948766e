// The demonstration's social network: users, their posts, their friendships. The same rows every
// time, made by the server itself in about a second.
#pragma once

#include <string>

#include "base/error.h"
#include "cluster/sql_connection.h"

namespace fairlead::cluster {

struct SampleSize {
  int users = 5000;
  int posts = 20'000;
  int friendships = 25'000;  // At most; the few that would repeat are left out.
};

/// Statements that make the tables users, posts and friendships, fill, index and analyze them, in
/// one transaction. Fails when the tables are there. Pure.
std::string sample_data_sql(const SampleSize& size);

/// Runs them. The connection's user becomes the owner.
Result<void> load_sample_data(SqlConnection& primary, const SampleSize& size = {});

}  // namespace fairlead::cluster
