// What the operator of a cluster says about names in its databases, against what their catalogs
// tell (A56, A46, A54): the keys of [cluster.NAME] with the names of the members. Pure data.
//
// Names count over all schemas and overloads, as everywhere (A40), and as they are stored: without
// quotes, mostly in lower case. Except for extensions, `*` stands for any run of characters.
// The lists for the primary win.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::sql {

struct RoutingLists {
  /// Their functions in C are judged by their labels, as those of the reviewed extensions are.
  std::vector<std::string> trusted_extensions = {};
  /// Harmless, whatever their labels say. Not for what PostgreSQL brings itself, which was
  /// reviewed, nor for a name that function_lists.h keeps on the primary.
  std::vector<std::string> replica_functions = {};
  std::vector<std::string> primary_functions = {};
  /// Foreign tables that replicas may read. Of no effect on what replicas cannot have.
  std::vector<std::string> replica_relations = {};
  std::vector<std::string> primary_relations = {};

  bool trusts_extension(std::string_view name) const;
  bool is_replica_function(std::string_view name) const;
  bool is_primary_function(std::string_view name) const;
  bool is_replica_relation(std::string_view name) const;
  bool is_primary_relation(std::string_view name) const;

  bool operator==(const RoutingLists&) const = default;
};

/// Whether all of `name` is what `pattern` says.
bool matches_pattern(std::string_view pattern, std::string_view name);

}  // namespace fairlead::sql
