#include "config/http_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/not_valid.h"
#include "config/units.h"

namespace fairlead::config {
namespace {

constexpr size_t kHttpUrlMax = 1024;
constexpr uint16_t kPatroniPort = 8008;

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool has_port(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (authority.starts_with('['))
    return colon != std::string_view::npos && colon > authority.find(']');
  return colon != std::string_view::npos;
}

}  // namespace

Result<HttpUrl> HttpUrl::parse(std::string_view text) {
  constexpr const char* kForm = "write http://host:8008 or https://host:8008";
  HttpUrl url;
  url.tls = take(text, "https://");
  if (!url.tls && !take(text, "http://")) return not_valid("not an HTTP URL", kForm);
  const bool is_plain = text.size() <= kHttpUrlMax &&
                        std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_plain)
    return not_valid("the URL is too long, or has spaces or other unprintable letters", kForm);
  if (text.find('@') != std::string_view::npos)
    return not_valid("the URL has a user or a password in it",
                     "write them as patroni_user and patroni_password_file");
  if (text.find_first_of("?#") != std::string_view::npos)
    return not_valid("the URL has parameters", kForm);

  const size_t slash = std::min(text.find('/'), text.size());
  const std::string_view authority = text.substr(0, slash);
  auto address = NodeAddress::parse(authority);
  if (!address) return not_valid("the URL's host or port is not valid", kForm);
  url.host = std::move(address->host);
  url.port = has_port(authority) ? address->port : kPatroniPort;
  std::string_view path = text.substr(slash);
  const auto without_slashes = [](std::string_view part) {
    while (part.ends_with('/')) part.remove_suffix(1);
    return part;
  };
  path = without_slashes(path);
  if (path.ends_with("/patroni")) path = without_slashes(path.substr(0, path.size() - 8));
  url.path = path;
  return url;
}

std::string HttpUrl::to_string() const {
  return fmt::format("{}://{}{}", tls ? "https" : "http", NodeAddress{host, port}.to_string(),
                     path);
}

}  // namespace fairlead::config
