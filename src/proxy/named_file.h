// A file that the configuration or the command line names: fairlead.toml, the users file, secrets
// and certificates. Unlike the files of a cluster (cluster/files.h) it belongs to whoever runs us,
// so it may be a symbolic link, as secrets that are mounted into containers are, or a pipe.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace fairlead::proxy {

/// A name that was mistyped must not fill the memory. As large as the largest of these files may
/// be, a users file (auth/users_file.h).
inline constexpr size_t kNamedFileBytesMax = size_t{64} << 20;

/// What the file contains. Errors say why it cannot be read, and what to do about it;
/// kUndefinedObject: there is no such file.
Result<std::string> read_named_file(const std::string& path);

}  // namespace fairlead::proxy
