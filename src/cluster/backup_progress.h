// What `pg_basebackup --progress` says on standard error, about once a second:
// "  65536/102400 kB (64%), 0/1 tablespace (...) ". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::cluster {

/// Takes the text in pieces as they come; what counts is the last whole figure.
class BackupProgress {
 public:
  void take(std::string_view piece);
  uint64_t done_bytes() const { return done_bytes_; }
  uint64_t total_bytes() const { return total_bytes_; }  // 0: nothing was said yet.

 private:
  std::string line_;  // What has no end yet.
  uint64_t done_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

/// What the tool had to say besides that.
std::string without_progress(std::string_view text);

}  // namespace fairlead::cluster
