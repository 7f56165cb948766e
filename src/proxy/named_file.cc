#include "proxy/named_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace fairlead::proxy {

namespace {

/// Closed at the end of its scope.
struct OpenFile {
  explicit OpenFile(const std::string& path) : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd >= 0) close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const int fd;
};

std::string_view what_to_do(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "let the user who runs fairlead read it, and enter its folders";
    case EISDIR:
      return "name a file inside of it";
    default:
      return "check the path";
  }
}

std::unexpected<Error> cannot_read(const std::string& path, int error) {
  return fail(error == ENOENT ? ErrorCode::kUndefinedObject : ErrorCode::kIo,
              fmt::format("cannot read {}", path), std::strerror(error),
              std::string(what_to_do(error)));
}

}  // namespace

Result<std::string> read_named_file(const std::string& path) {
  const OpenFile file(path);
  if (file.fd < 0) return cannot_read(path, errno);
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t got = read(file.fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > kNamedFileBytesMax)
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} is larger than {} MiB", path, kNamedFileBytesMax >> 20), {},
                  "name a file of Fairlead's");
  }
}

}  // namespace fairlead::proxy
