#include "net/resolver.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "net/signal.h"

namespace fairlead::net {
namespace {

// Names of nodes and of Patroni's addresses: more than were ever in one configuration. Those that
// nobody waits for make room.
constexpr size_t kNamesMax = 1024;

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

LookedUp look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, AddressListDeleter> owned(error == 0 ? list : nullptr);
  if (error != 0) {
    const bool is_refuted = error == EAI_NONAME || error == EAI_NODATA;
    return {.trouble = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error),
            .is_refuted = is_refuted};
  }
  LookedUp found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    found.addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
  }
  if (found.addresses.empty()) found.trouble = "it has no address";
  return found;
}

/// What is shared with the threads that look up.
class Resolver::Names : public std::enable_shared_from_this<Names> {
 public:
  explicit Names(LookUp look_up) : look_up_(std::move(look_up)) {}

  /// From now on `waiter` is told when a look-up of `host` ends; one is on its way. Returns how
  /// many have ended before.
  uint64_t enter(const std::string& host, Waiter& waiter);
  void leave(const std::string& host, Waiter& waiter);

  /// Calls `question(const KnownHost&)` with what is known.
  template <class Question>
  auto ask(const std::string& host, Question question) {
    const std::lock_guard lock(mutex_);
    return question(std::as_const(entries_.at(host).known));
  }

  /// Logs it once when an address that is remembered begins to be used, and when none is any more.
  void tell_silence(const std::string& host, std::optional<Duration> age);

 private:
  struct Entry {
    KnownHost known;
    std::vector<Waiter*> waiters;
    bool is_silent = false;  // As it was logged last.
  };

  void begin(const std::string& host, Entry& entry);
  void end(const std::string& host, LookedUp found);
  void make_room();

  const LookUp look_up_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// One coroutine that waits for a look-up, on its loop's thread.
class Resolver::Waiter {
 public:
  Waiter(Loop& loop, Names& names, std::string host)
      : loop_(loop),
        names_(names),
        host_(std::move(host)),
        ended_(std::make_shared<Signal>(loop)),
        ended_before_(names_.enter(host_, *this)) {}
  ~Waiter() { names_.leave(host_, *this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// From any thread, while it is entered: its loop is there for as long as it is.
  void tell() {
    loop_.post([ended = std::weak_ptr(ended_)] {
      if (const auto waiting = ended.lock()) waiting->notify_all();
    });
  }

  /// Until it is told, or until then.
  auto wait(Time until) { return ended_->wait_for(until - Loop::now()); }

  uint64_t ended_before() const { return ended_before_; }

 private:
  Loop& loop_;
  Names& names_;
  const std::string host_;
  const std::shared_ptr<Signal> ended_;
  const uint64_t ended_before_;
};

uint64_t Resolver::Names::enter(const std::string& host, Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  make_room();
  Entry& entry = entries_[host];
  entry.waiters.push_back(&waiter);
  const uint64_t ended = entry.known.ended();
  if (!entry.known.looks_up()) begin(host, entry);
  return ended;
}

void Resolver::Names::leave(const std::string& host, Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  std::erase(entries_.at(host).waiters, &waiter);
}

void Resolver::Names::begin(const std::string& host, Entry& entry) {
  entry.known.on_begin(Loop::now());
  try {
    std::thread([names = shared_from_this(), host] {
      names->end(host, names->look_up_(host));
    }).detach();
  } catch (const std::system_error& error) {
    entry.known.on_end({.trouble = fmt::format("no thread for it: {}", error.what())}, Loop::now());
  }
}

void Resolver::Names::end(const std::string& host, LookedUp found) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(host);
  entry.known.on_end(std::move(found), Loop::now());
  for (Waiter* waiter : entry.waiters) waiter->tell();
}

void Resolver::Names::tell_silence(const std::string& host, std::optional<Duration> age) {
  {
    const std::lock_guard lock(mutex_);
    bool& was_silent = entries_.at(host).is_silent;
    if (std::exchange(was_silent, age.has_value()) == age.has_value()) return;
  }
  if (!age)
    log::info("the name servers answer for {} again", host);
  else
    log::warning(
        "no name server answers for {}: the addresses that it had {} s ago are used, for {} h at "
        "most; look at /etc/resolv.conf, and at the servers that it names",
        host, std::chrono::duration_cast<std::chrono::seconds>(*age).count(),
        std::chrono::duration_cast<std::chrono::hours>(kRememberedMax).count());
}

void Resolver::Names::make_room() {
  if (entries_.size() < kNamesMax) return;
  std::erase_if(entries_, [](const auto& entry) {
    return entry.second.waiters.empty() && !entry.second.known.looks_up();
  });
}

Resolver::Resolver(LookUp look_up) : names_(std::make_shared<Names>(std::move(look_up))) {}

Resolver& Resolver::of_system() {
  // Never destroyed: a thread may still be in it when the process ends.
  static Resolver& instance = *new Resolver(look_up);
  return instance;
}

Task<std::expected<Addresses, std::string>> Resolver::resolve(Loop& loop, std::string host,
                                                              Duration timeout) {
  if (const auto literal = Address::parse(host)) co_return Addresses{*literal};

  const Time deadline = Loop::now() + timeout;
  const Duration patience = timeout / 2;  // The other half is for whoever is to be reached.
  const std::shared_ptr<Names> names = names_;
  Waiter waiter(loop, *names, host);
  for (Time now = Loop::now();; now = Loop::now()) {
    const auto [outcome, patient_until] = names->ask(host, [&](const KnownHost& known) {
      return std::pair(known.outcome(waiter.ended_before(), patience, now),
                       known.patient_until(patience, now));
    });
    if (outcome && outcome->addresses.empty())
      co_return std::unexpected("looking up the name: " + outcome->trouble);
    if (outcome) {
      names->tell_silence(host, outcome->age);
      co_return outcome->addresses;
    }
    if (now >= deadline)
      co_return std::unexpected(
          fmt::format("no name server has answered for the name within {} ms",
                      std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
    co_await waiter.wait(std::min(patient_until.value_or(deadline), deadline));
  }
}

}  // namespace fairlead::net
