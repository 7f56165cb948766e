// The coroutines of this program: Task<T> is one that begins when it is awaited, and gives whoever
// awaits it a T.
//
//   Task<Result<int>> read_length(Stream& stream);
//   const Result<int> length = co_await read_length(stream);
//
// A named function, never a capturing lambda: a lambda's captures die before its coroutine does. It
// runs on the thread of the loop that its caller runs on. An exception that escapes it is thrown
// where it is awaited. The first of a chain is started by a Spawner (spawner.h).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace fairlead::net {

template <class T>
class Task;

namespace task {

/// What the promises of all tasks have in common: who is resumed at the end.
class Promise {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  auto final_suspend() noexcept {
    struct ToWhoAwaits {
      std::coroutine_handle<> next;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept { return next; }
      void await_resume() noexcept {}
    };
    return ToWhoAwaits{next_};
  }

  void unhandled_exception() { thrown_ = std::current_exception(); }

  void set_next(std::coroutine_handle<> next) { next_ = next; }

 protected:
  void rethrow() {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  std::coroutine_handle<> next_;
  std::exception_ptr thrown_;
};

template <class T>
class PromiseOf : public Promise {
 public:
  Task<T> get_return_object();

  template <class Value = T>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }

  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class PromiseOf<void> : public Promise {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void take() { rethrow(); }
};

}  // namespace task

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = task::PromiseOf<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle coroutine) : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  auto operator co_await() && {
    struct Awaiter {
      Handle coroutine;
      bool await_ready() { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> who) {
        coroutine.promise().set_next(who);
        return coroutine;
      }
      T await_resume() { return coroutine.promise().take(); }
    };
    require(static_cast<bool>(coroutine_), "a task is awaited once");
    return Awaiter{coroutine_};
  }

 private:
  Handle coroutine_;
};

namespace task {

template <class T>
Task<T> PromiseOf<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<PromiseOf>::from_promise(*this));
}

inline Task<void> PromiseOf<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<PromiseOf>::from_promise(*this));
}

}  // namespace task

}  // namespace fairlead::net
