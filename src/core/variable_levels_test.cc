// Random transactions against a reference that is written from the documentation of SET alone:
// every savepoint copies the whole state, and nothing is clever.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/variables.h"

namespace fairlead::core {
namespace {

using Values = std::map<std::string, std::optional<std::string>>;

class Reference {
 public:
  explicit Reference(std::map<std::string, std::string> startup) : startup_(std::move(startup)) {}

  void set(const std::string& name, std::optional<std::string> value, SetScope scope) {
    if (scope == SetScope::kLocal) {
      now_.local[name] = std::move(value);
    } else {
      now_.session[name] = std::move(value);
      now_.local.erase(name);
    }
  }
  void reset_all() {
    for (const auto& [name, value] : Values(in_force()))
      if (value) set(name, {}, SetScope::kSession);
  }
  void savepoint(const std::string& name) { saved_.push_back({name, now_}); }
  void rollback_to(const std::string& name) {
    while (saved_.back().first != name) saved_.pop_back();
    now_ = saved_.back().second;
  }
  void release(const std::string& name) {
    while (saved_.back().first != name) saved_.pop_back();
    saved_.pop_back();
  }
  void end(bool commit) {
    if (commit) committed_ = now_.session;
    saved_.clear();
    now_ = {committed_, {}};
  }

  std::optional<std::string> find(const std::string& name) const {
    const Values values = in_force();
    if (const auto found = values.find(name); found != values.end() && found->second)
      return found->second;
    const auto startup = startup_.find(name);
    return startup == startup_.end() ? std::nullopt : std::optional(startup->second);
  }
  const std::vector<std::string> savepoints() const {
    std::vector<std::string> names;
    for (const auto& [name, state] : saved_) names.push_back(name);
    return names;
  }

 private:
  struct State {
    Values session;
    Values local;
  };
  Values in_force() const {
    Values values = now_.local;
    values.insert(now_.session.begin(), now_.session.end());
    return values;
  }

  std::map<std::string, std::string> startup_;
  Values committed_;
  State now_;
  std::vector<std::pair<std::string, State>> saved_;
};

constexpr std::array<const char*, 3> kNames{"app.a", "app.b", "search_path"};

void expect_same(const SessionVariables& session, const Reference& reference) {
  for (const char* name : kNames) {
    const Setting* setting = session.find(name);
    ASSERT_EQ(setting ? std::optional(setting->text()) : std::nullopt, reference.find(name))
        << name;
  }
  ASSERT_EQ(session.savepoints(), reference.savepoints().size());
}

TEST(SessionVariables, AgreesWithTheReferenceThroughRandomTransactions) {
  for (uint32_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto upto = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n)(random); };
    const auto scope = [&] { return upto(1) ? SetScope::kSession : SetScope::kLocal; };
    SessionVariables session({.low = 1, .high = 2},
                             VariableSet({{"app.b", Setting::from_value("startup", "UTF8")}}));
    Reference reference({{"app.b", "startup"}});

    for (int step = 0; step < 60; ++step) {
      const std::string name = kNames[upto(2)];
      const auto open = reference.savepoints();
      switch (upto(9)) {
        case 0:
        case 1:
        case 2: {
          const std::string value = std::to_string(step);
          const SetScope at = scope();
          session.on_set(name, Setting::from_value(value, "UTF8"), at);
          reference.set(name, value, at);
          break;
        }
        case 3: {
          const SetScope at = scope();
          session.on_reset(name, at);
          reference.set(name, {}, at);
          break;
        }
        case 4:
          session.on_reset_all();
          reference.reset_all();
          break;
        case 5:
        case 6: {
          const std::string point(1, static_cast<char>('p' + upto(1)));
          session.on_savepoint(point);
          reference.savepoint(point);
          break;
        }
        case 7:
          if (!open.empty()) {
            const std::string& point = open[upto(open.size() - 1)];
            session.on_rollback_to(point);
            reference.rollback_to(point);
          }
          break;
        case 8:
          if (!open.empty()) {
            const std::string& point = open[upto(open.size() - 1)];
            session.on_release(point);
            reference.release(point);
          }
          break;
        default:
          if (upto(2)) break;
          const bool commit = upto(1);
          commit ? session.on_commit() : session.on_rollback();
          reference.end(commit);
          for (const char* each : kNames) {
            const Setting* setting = session.committed().find(each);
            ASSERT_EQ(setting ? std::optional(setting->text()) : std::nullopt,
                      reference.find(each));
          }
          break;
      }
      ASSERT_NO_FATAL_FAILURE(expect_same(session, reference)) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace fairlead::core
