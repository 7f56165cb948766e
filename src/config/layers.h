// The layers that a configuration is made of, from the weakest to the strongest. Each puts its
// values and its problems into a Draft.
#pragma once

#include "config/draft.h"
#include "config/load.h"

namespace fairlead::config {

/// The TOML file, with ${VARIABLE} replaced. False: it is not TOML, so nothing is known of it.
bool apply_file(const Sources& sources, Draft& draft);

/// primary_url and replica_urls: one cluster "main".
void apply_urls(const Sources& sources, Draft& draft);

/// FAIRLEAD_SECTION_KEY, FAIRLEAD_CLUSTER_NAME_KEY and FAIRLEAD_DATABASE_NAME_KEY, for every
/// cluster and database that exists by now, for cluster "main" in any case. The name of database
/// "*" is left out. Variables are asked for by name and never listed: Kubernetes makes some of its
/// own that begin with FAIRLEAD_ for a service of that name.
void apply_environment(const Sources& sources, Draft& draft);

/// The command line.
void apply_flags(const Sources& sources, Draft& draft);

/// Reads the files that *_file keys name, once it is settled which.
void apply_files(const Sources& sources, Draft& draft);

/// "FAIRLEAD_CLUSTER_MAIN_NODES", for messages and documentation.
std::string variable_name(const KeyRef& ref);

}  // namespace fairlead::config
