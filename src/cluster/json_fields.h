// Reads fields of one JSON object. A missing or mistyped field makes the reader fail for good, and
// the caller asks what_is_broken() once, at the end.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace fairlead::cluster {

class FieldReader {
 public:
  /// Null: no such object.
  explicit FieldReader(const boost::json::value* value)
      : object_(value ? value->if_object() : nullptr) {
    if (object_ == nullptr) broken_ = "an object";
  }

  std::string text(std::string_view name) {
    const boost::json::value* value = find(name);
    const boost::json::string* found = value ? value->if_string() : nullptr;
    if (found == nullptr) return broken(name), std::string();
    return {found->data(), found->size()};
  }

  template <class Integer>
  Integer integer(std::string_view name, int64_t most) {
    const boost::json::value* value = find(name);
    const int64_t* found = value ? value->if_int64() : nullptr;
    if (found == nullptr || *found < 0 || *found > most) return broken(name), Integer{};
    return static_cast<Integer>(*found);
  }

  bool boolean(std::string_view name) {
    const boost::json::value* value = find(name);
    const bool* found = value ? value->if_bool() : nullptr;
    if (found == nullptr) return broken(name), false;
    return *found;
  }

  /// A text that `from_name` knows.
  template <class From>
  auto named(std::string_view name, From&& from_name) {
    const auto value = from_name(text(name));
    if (!value) broken(name);
    return value ? *value : std::remove_cvref_t<decltype(*value)>{};
  }

  /// Calls `each(element)` for the elements of an array.
  template <class Each>
  void array(std::string_view name, Each&& each) {
    const boost::json::value* value = find(name);
    if (value == nullptr || !value->is_array()) return broken(name);
    for (const boost::json::value& element : value->get_array()) each(element);
  }

  const boost::json::value* find(std::string_view name) const {
    return object_ ? object_->if_contains({name.data(), name.size()}) : nullptr;
  }

  void broken(std::string_view name) {
    if (!broken_) broken_ = std::string(name);
  }
  const std::optional<std::string>& what_is_broken() const { return broken_; }

 private:
  const boost::json::object* object_;
  std::optional<std::string> broken_;
};

}  // namespace fairlead::cluster
