// Values that are immutable and behind a pointer: two that say the same come to share one content,
// so that the next comparison is one of pointers.
#pragma once

#include <functional>
#include <memory>

namespace fairlead::core {

/// Whether both are the same; null equals only null. Both keep the same one of the two then:
/// however many sessions and servers compare, all of them end up with one.
template <class Content>
bool share_if_equal(std::shared_ptr<const Content>& a, std::shared_ptr<const Content>& b) {
  if (a == b) return true;
  if (!a || !b || !(*a == *b)) return false;
  std::less<const Content*>{}(a.get(), b.get()) ? b = a : a = b;
  return true;
}

}  // namespace fairlead::core
