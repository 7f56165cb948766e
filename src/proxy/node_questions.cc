#include "proxy/node_questions.h"

#include "net/spawner.h"
#include "proxy/probe_login.h"
#include "proxy/shared.h"

namespace fairlead::proxy {
namespace {

using Answers = Result<std::vector<std::vector<Row>>>;

net::Task<Answers> ask_all(net::Loop& loop, ServerEndpoint endpoint, ServerLogin login,
                           const std::vector<std::string>& questions) {
  const Duration timeout = endpoint.timeout;
  auto conversation = co_await Conversation::open(loop, std::move(endpoint), std::move(login));
  if (!conversation) co_return std::unexpected(std::move(conversation.error().error));
  std::vector<std::vector<Row>> answers;
  for (const std::string& question : questions) {
    auto rows = co_await (*conversation)->ask(question, timeout);
    if (!rows) co_return std::unexpected(std::move(rows.error()));
    answers.push_back(std::move(*rows));
  }
  co_return answers;
}

net::Task<void> ask_and_stop(net::Loop& loop, ServerEndpoint endpoint, ServerLogin login,
                             const std::vector<std::string>& questions, Answers& answers) {
  answers = co_await ask_all(loop, std::move(endpoint), std::move(login), questions);
  loop.stop();
}

}  // namespace

Answers ask_node(const AskedNode& node, std::vector<std::string> questions,
                 std::string_view application_name) {
  auto settings = make_cluster_settings({}, node.cluster);
  if (!settings) return std::unexpected(std::move(settings.error()));
  ServerLogin login = own_login(std::move(settings->monitor), application_name);
  if (!node.database.empty()) login.database = node.database;
  Answers answers = fail(ErrorCode::kInternal, "not asked");
  net::Loop loop;
  net::start(loop, ask_and_stop(
                       loop, settings->endpoint(node.address.host, node.address.port, node.timeout),
                       std::move(login), questions, answers));
  loop.run();
  return answers;
}

}  // namespace fairlead::proxy
