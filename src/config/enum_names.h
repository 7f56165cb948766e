// The words that the file uses for the enumerators: one table each, for reading and for printing.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "config/config.h"

namespace fairlead::config {

template <class E>
using Word = std::pair<E, std::string_view>;

inline constexpr std::array kLogLevelWords{
    Word<log::Level>{log::Level::kDebug, "debug"}, Word<log::Level>{log::Level::kInfo, "info"},
    Word<log::Level>{log::Level::kWarning, "warning"},
    Word<log::Level>{log::Level::kError, "error"}, Word<log::Level>{log::Level::kOff, "off"}};

inline constexpr std::array kTlsVersionWords{Word<TlsVersion>{TlsVersion::k12, "1.2"},
                                             Word<TlsVersion>{TlsVersion::k13, "1.3"}};

inline constexpr std::array kTlsModeWords{Word<TlsMode>{TlsMode::kDisable, "disable"},
                                          Word<TlsMode>{TlsMode::kAllow, "allow"},
                                          Word<TlsMode>{TlsMode::kPrefer, "prefer"},
                                          Word<TlsMode>{TlsMode::kRequire, "require"},
                                          Word<TlsMode>{TlsMode::kVerifyCa, "verify-ca"},
                                          Word<TlsMode>{TlsMode::kVerifyFull, "verify-full"}};

inline constexpr std::array kTopologySourceWords{
    Word<TopologySource>{TopologySource::kStatic, "static"},
    Word<TopologySource>{TopologySource::kPatroni, "patroni"}};

inline constexpr std::array kPoolModeWords{Word<PoolMode>{PoolMode::kTransaction, "transaction"},
                                           Word<PoolMode>{PoolMode::kSession, "session"}};

inline constexpr std::array kModeWords{Word<Mode>{Mode::kSplit, "split"},
                                       Word<Mode>{Mode::kObserve, "observe"}};

inline constexpr std::array kConsistencyWords{Word<Consistency>{Consistency::kEventual, "eventual"},
                                              Word<Consistency>{Consistency::kSession, "session"},
                                              Word<Consistency>{Consistency::kApp, "app"},
                                              Word<Consistency>{Consistency::kStrict, "strict"}};

inline constexpr std::array kTransactionReadsWords{
    Word<TransactionReads>{TransactionReads::kPrimary, "primary"},
    Word<TransactionReads>{TransactionReads::kUntilWrite, "until_write"}};

inline constexpr std::array kBalanceWords{Word<Balance>{Balance::kLeastBusy, "least_busy"},
                                          Word<Balance>{Balance::kRoundRobin, "round_robin"},
                                          Word<Balance>{Balance::kRandom, "random"},
                                          Word<Balance>{Balance::kSticky, "sticky"}};

inline constexpr std::array kLostWritesWords{Word<LostWrites>{LostWrites::kWarning, "warning"},
                                             Word<LostWrites>{LostWrites::kError, "error"}};

inline constexpr std::array kAuthMethodWords{
    Word<AuthMethod>{AuthMethod::kTrust, "trust"},
    Word<AuthMethod>{AuthMethod::kScramSha256, "scram-sha-256"},
    Word<AuthMethod>{AuthMethod::kMd5, "md5"}, Word<AuthMethod>{AuthMethod::kCert, "cert"}};

inline constexpr std::array kServerAuthWords{
    Word<ServerAuth>{ServerAuth::kTrust, "trust"},
    Word<ServerAuth>{ServerAuth::kScramSha256, "scram-sha-256"},
    Word<ServerAuth>{ServerAuth::kMd5, "md5"}, Word<ServerAuth>{ServerAuth::kPassword, "password"}};

inline constexpr std::array kOriginKindWords{
    Word<Origin::Kind>{Origin::Kind::kDefault, "default"},
    Word<Origin::Kind>{Origin::Kind::kUrl, "url"}, Word<Origin::Kind>{Origin::Kind::kFile, "file"},
    Word<Origin::Kind>{Origin::Kind::kEnvironment, "environment"},
    Word<Origin::Kind>{Origin::Kind::kFlag, "flag"}};

/// The table of an enumeration; the keys' reader and printer find it by type.
template <class E>
constexpr auto& words_of() {
  if constexpr (std::is_same_v<E, log::Level>) {
    return kLogLevelWords;
  } else if constexpr (std::is_same_v<E, TlsVersion>) {
    return kTlsVersionWords;
  } else if constexpr (std::is_same_v<E, TlsMode>) {
    return kTlsModeWords;
  } else if constexpr (std::is_same_v<E, TopologySource>) {
    return kTopologySourceWords;
  } else if constexpr (std::is_same_v<E, PoolMode>) {
    return kPoolModeWords;
  } else if constexpr (std::is_same_v<E, Mode>) {
    return kModeWords;
  } else if constexpr (std::is_same_v<E, Consistency>) {
    return kConsistencyWords;
  } else if constexpr (std::is_same_v<E, TransactionReads>) {
    return kTransactionReadsWords;
  } else if constexpr (std::is_same_v<E, Balance>) {
    return kBalanceWords;
  } else if constexpr (std::is_same_v<E, LostWrites>) {
    return kLostWritesWords;
  } else if constexpr (std::is_same_v<E, AuthMethod>) {
    return kAuthMethodWords;
  } else if constexpr (std::is_same_v<E, ServerAuth>) {
    return kServerAuthWords;
  } else {
    static_assert(std::is_same_v<E, Origin::Kind>, "this enumeration has no words");
    return kOriginKindWords;
  }
}

template <class E>
constexpr std::string_view word_of(E value) {
  for (const auto& [enumerator, word] : words_of<E>()) {
    if (enumerator == value) return word;
  }
  return "?";
}

}  // namespace fairlead::config
