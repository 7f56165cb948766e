// Files and folders of a cluster, for callers that may be root in a folder whose parts belong to
// another user: nothing here follows a symbolic link at the last part of a path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cluster/os_user.h"

namespace fairlead::cluster {

Result<std::string> read_file(const std::string& path);

/// What a log has after `since` bytes, at most its last 64 KiB; empty when there is none.
std::string read_log_end(const std::string& path, off_t since = 0);

/// 0 when there is no such file.
off_t file_size(const std::string& path);

/// Whether a file must survive a power cut.
enum class Durability : uint8_t { kSynced, kFast };

/// Where write_file() writes before the file has its name: all that is left of one that was killed.
std::string unfinished(const std::string& path);

/// A new file takes the old one's place in one moment: a reader sees the old text or the new one,
/// and so does the next command after a crash. `owner` null: ours.
Result<void> write_file(const std::string& path, std::string_view text, mode_t mode,
                        const OsUser* owner, Durability durability = Durability::kSynced);

/// Makes one folder, or sees that it is a folder already; in either case gives it the mode and
/// owner.
Result<void> make_folder(const std::string& path, mode_t mode, const OsUser* owner);

/// Removes a tree without following links. Nothing there is fine.
Result<void> remove_tree(const std::string& path);

bool exists(const std::string& path);

/// Error "cannot `what` `path`" with errno's words and, for a full disk and missing rights, what to
/// do.
std::unexpected<Error> fail_errno(std::string_view what, const std::string& path, int error);

}  // namespace fairlead::cluster
