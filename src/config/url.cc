// Parsing of one connection URL; see url.h.
#include "config/url.h"

#include <fmt/format.h>

#include <array>

#include "config/not_valid.h"
#include "config/suggest.h"

namespace fairlead::config {
namespace {

constexpr size_t kUrlMax = 8192;   // Far longer than any; bounds what one variable can cause.
constexpr size_t kNodesMax = 256;  // As many as no cluster has.

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, std::string_view what) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return not_valid(fmt::format("the URL's {} has a % that two hex digits do not follow", what),
                       "write a plain % as %25");
    }
    if (high == 0 && low == 0) return not_valid(fmt::format("the URL's {} has a zero byte", what));
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

/// Cuts `text` at the first `separator`; `text` becomes what stands before it.
std::optional<std::string_view> cut(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

/// What stands behind "postgres://"; nullopt: the scheme is another.
std::optional<std::string_view> strip_scheme(std::string_view text) {
  const size_t end = text.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view scheme = text.substr(0, end);
  cut(scheme, '+');
  if (scheme != "postgres" && scheme != "postgresql") return std::nullopt;
  return text.substr(end + 3);
}

Result<void> read_parameter(std::string_view parameter, ConnectionUrl& url) {
  const auto raw = cut(parameter, '=');
  auto value = percent_decode(raw.value_or(""), "parameter");
  if (!value) return std::unexpected(value.error());
  if (parameter == "sslmode") {
    url.tls_mode = std::move(*value);
  } else if (parameter == "sslrootcert") {
    url.tls_ca_file = std::move(*value);
  } else {
    // Not ignored: whoever wrote it expects something of it.
    constexpr std::array<std::string_view, 2> kKnown{"sslmode", "sslrootcert"};
    const auto near = nearest(parameter, kKnown);
    const std::string known = "sslmode and sslrootcert are understood; remove the others";
    return not_valid("the URL has a parameter that Fairlead does not know",
                     near ? fmt::format("did you mean {}?", *near) : known);
  }
  return {};
}

Result<void> read_parameters(std::string_view parameters, ConnectionUrl& url) {
  while (!parameters.empty()) {
    const auto rest = cut(parameters, '&');
    if (!parameters.empty()) {
      if (auto ok = read_parameter(parameters, url); !ok) return ok;
    }
    parameters = rest.value_or("");
  }
  return {};
}

Result<void> read_user(std::string_view text, ConnectionUrl& url) {
  const auto password = cut(text, ':');
  auto user = percent_decode(text, "user");
  if (!user) return std::unexpected(user.error());
  if (!user->empty()) url.user = std::move(*user);
  if (!password) return {};
  auto decoded = percent_decode(*password, "password");
  if (!decoded) return std::unexpected(decoded.error());
  url.password = Secret{std::move(*decoded)};
  return {};
}

Result<void> read_nodes(std::string_view text, ConnectionUrl& url) {
  for (std::optional<std::string_view> rest = text; rest;) {
    std::string_view one = *rest;
    rest = cut(one, ',');
    if (one.empty()) return not_valid("the URL names no host");
    if (one.starts_with("%2F") || one.starts_with("%2f")) {
      return not_valid("the URL names a Unix socket",
                       "nodes are reached over TCP: write host:port");
    }
    auto node = NodeAddress::parse(one);
    if (!node) {  // Its own message would quote what may be a piece of a password.
      return not_valid("the URL's host or port is not valid",
                       "in a password, write / as %2F, ? as %3F, @ as %40 and % as %25");
    }
    url.nodes.push_back(std::move(*node));
    if (url.nodes.size() > kNodesMax) return not_valid("the URL names too many hosts");
  }
  return {};
}

}  // namespace

Result<ConnectionUrl> ConnectionUrl::parse(std::string_view text) {
  if (text.size() > kUrlMax) return not_valid("the URL is too long");
  auto rest = strip_scheme(text);
  if (!rest) {
    return not_valid("not a PostgreSQL URL",
                     "write postgres://user:password@host:5432/database?sslmode=prefer");
  }
  ConnectionUrl url;
  std::string_view authority = *rest;
  const auto parameters = cut(authority, '?');
  const auto path = cut(authority, '/');
  // The last @: one that belongs to the password should be written %40, but often is not.
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto ok = read_user(authority.substr(0, at), url); !ok) return std::unexpected(ok.error());
    authority.remove_prefix(at + 1);
  }
  if (auto ok = read_nodes(authority, url); !ok) return std::unexpected(ok.error());
  if (path && !path->empty()) {
    auto database = percent_decode(*path, "database");
    if (!database) return std::unexpected(database.error());
    url.database = std::move(*database);
  }
  if (auto ok = read_parameters(parameters.value_or(""), url); !ok) {
    return std::unexpected(ok.error());
  }
  return url;
}

}  // namespace fairlead::config
