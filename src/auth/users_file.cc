#include "auth/users_file.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace fairlead::auth {
namespace {

/// Walks one line. Positions are columns from 1, for messages.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : line_(line) {}

  size_t column() const { return at_ + 1; }
  bool at_end() const { return at_ == line_.size(); }
  bool at_comment() const { return !at_end() && (line_[at_] == ';' || line_[at_] == '#'); }
  bool at_quote() const { return !at_end() && line_[at_] == '"'; }

  /// Returns whether there was any.
  bool skip_blanks() {
    const size_t before = at_;
    while (!at_end() && is_blank(line_[at_])) ++at_;
    return at_ != before;
  }

  /// Reads a quoted field, two quotes inside standing for one. False: it has no end.
  bool take_quoted(SecretText& field) {
    std::string text;
    text.reserve(line_.size() - at_);  // Never grows, so that one wipe is enough.
    bool closed = false;
    for (++at_; !at_end() && !closed; ++at_) {
      if (line_[at_] != '"') {
        text.push_back(line_[at_]);
      } else if (at_ + 1 < line_.size() && line_[at_ + 1] == '"') {
        text.push_back('"');
        ++at_;
      } else {
        closed = true;
      }
    }
    field = SecretText(text);
    wipe(text.data(), text.size());
    return closed;
  }

 private:
  static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
  }

  std::string_view line_;
  size_t at_ = 0;
};

struct User {
  std::string name;
  Secret secret;
};

class FileReader {
 public:
  explicit FileReader(std::string_view text) : rest_(text) {}

  bool finished() const { return rest_.empty(); }
  size_t line() const { return line_number_; }

  /// Reads one line; nullopt where it is blank or a comment.
  Result<std::optional<User>> next();

 private:
  std::unexpected<Error> error_at(size_t column, std::string_view what, std::string hint = {}) {
    return fail(ErrorCode::kConfig,
                fmt::format("users file, line {}, column {}: {}", line_number_, column, what), {},
                std::move(hint));
  }
  Result<User> user_from(LineReader& line);
  Result<void> check_rest(LineReader& line);

  std::string_view rest_;
  size_t line_number_ = 0;
};

Result<std::optional<User>> FileReader::next() {
  const size_t end = rest_.find('\n');
  LineReader line(rest_.substr(0, end));
  rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
  ++line_number_;

  line.skip_blanks();
  if (line.at_end() || line.at_comment()) return std::nullopt;
  Result<User> user = user_from(line);
  if (!user) return std::unexpected(user.error());
  if (auto rest = check_rest(line); !rest) return std::unexpected(rest.error());
  return std::move(*user);
}

Result<User> FileReader::user_from(LineReader& line) {
  constexpr auto kForm = R"(Each line reads "name" "secret", both in double quotes.)";
  const size_t name_column = line.column();
  SecretText name;
  if (!line.at_quote()) return error_at(name_column, "a user name in quotes was expected", kForm);
  if (!line.take_quoted(name)) return error_at(name_column, "the quote has no end", kForm);
  if (name.empty()) return error_at(name_column, "the user name is empty");
  if (name.view().size() > kUserNameBytesMax) {
    return error_at(name_column,
                    fmt::format("the user name is longer than {} bytes", kUserNameBytesMax));
  }
  if (name.view().find('\0') != std::string_view::npos)
    return error_at(name_column, "the user name has a zero byte");

  line.skip_blanks();
  const size_t secret_column = line.column();
  SecretText text;
  if (!line.at_quote()) return error_at(secret_column, "a secret in quotes was expected", kForm);
  if (!line.take_quoted(text)) return error_at(secret_column, "the quote has no end", kForm);
  Result<Secret> secret = parse_secret(text.view());
  if (!secret) return error_at(secret_column, describe(secret.error()));
  return User{std::string(name.view()), std::move(*secret)};
}

/// After the secret: further quoted fields, each after a blank, and a comment.
Result<void> FileReader::check_rest(LineReader& line) {
  for (;;) {
    const bool separated = line.skip_blanks();
    if (line.at_end() || line.at_comment()) return {};
    const size_t column = line.column();
    SecretText ignored;
    if (!separated || !line.at_quote() || !line.take_quoted(ignored)) {
      return error_at(column, "unexpected text after the secret",
                      R"(A double quote inside a secret is written twice: "".)");
    }
  }
}

}  // namespace

const Secret* UsersFile::find(std::string_view user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &found->second;
}

Result<UsersFile> parse_users_file(std::string_view text) {
  if (text.size() > kUsersFileBytesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the users file is larger than {} bytes", kUsersFileBytesMax));
  }
  UsersFile file;
  FileReader reader(text);
  while (!reader.finished()) {
    Result<std::optional<User>> user = reader.next();
    if (!user) return std::unexpected(user.error());
    if (!*user) continue;
    if (file.users_.size() == kUsersMax) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the users file has more than {} users", kUsersMax), {},
                  "Remove those who do not log in any more.");
    }
    std::string name = std::move((*user)->name);
    if (!file.users_.try_emplace(name, std::move((*user)->secret)).second) {
      return fail(
          ErrorCode::kConfig,
          fmt::format("users file, line {}: user \"{}\" is there already", reader.line(), name), {},
          "Keep one line for each user.");
    }
  }
  return file;
}

}  // namespace fairlead::auth
