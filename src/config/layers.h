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
/// "*" is left out.
void apply_environment(const Sources& sources, Draft& draft);

/// After apply_environment(): variables that begin as those of keys do and were not taken, neither
/// by a key nor by a ${VARIABLE} of the file. What sets a key of a table that does not exist is a
/// problem; the rest may be somebody else's, and is noted in Config::ignored.
void tell_stray_variables(const Sources& sources, Draft& draft);

/// The command line.
void apply_flags(const Sources& sources, Draft& draft);

/// Reads the files that *_file keys name, once it is settled which.
void apply_files(const Sources& sources, Draft& draft);

/// "FAIRLEAD_CLUSTER_MAIN_NODES", for messages and documentation.
std::string variable_name(const KeyRef& ref);
/// A name as variables have it: letters as capitals, all but letters and digits as "_".
std::string in_capitals(std::string_view text);

}  // namespace fairlead::config
