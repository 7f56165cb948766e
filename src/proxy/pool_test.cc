#include "proxy/pool.h"

#include <gtest/gtest.h>

#include <deque>

#include "net/loop_testing.h"
#include "proxy/login_testing.h"

namespace fairlead::proxy {
namespace {

using net::Loop;
using net::Task;

/// Of workers that share one loop.
struct Mail final : PoolMail {
  explicit Mail(Loop& on) : loop(on) {}

  void post_to_pool(core::WorkerId worker, std::shared_ptr<SharedPool>,
                    std::move_only_function<void(Pool&)> work) override {
    Pool& pool = *pools.at(static_cast<size_t>(worker));
    loop.post([&pool, work = std::move(work)]() mutable { work(pool); });
  }

  Loop& loop;
  std::vector<Pool*> pools;  // By worker.
};

/// One that gives back at once whatever it gets, unless it was told to keep it.
struct Client final : PoolWaiter {
  Client(Pool& its, std::vector<const Client*>& all) : pool(its), served(all) {}

  void on_server(ServerConnection& server) override {
    served.push_back(this);
    if (keeps) {
      kept = &server;
      return;
    }
    pool.release(server);
    if (sends_away != nullptr) pool.give_up(*sends_away);
    EXPECT_EQ(served.back(), this) << "the next one comes when this one is done";
  }
  void on_no_server(NoServer why) override { ADD_FAILURE() << why.login.error.message; }
  bool may_go_elsewhere() const override { return false; }

  Pool& pool;
  std::vector<const Client*>& served;
  bool keeps = false;
  Client* sends_away = nullptr;
  ServerConnection* kept = nullptr;
};

/// A pool of servers that let everybody in.
struct TestPool {
  explicit TestPool(uint32_t size, uint32_t clients_count, uint16_t workers = 1)
      : mail(loop),
        acceptor(net::listen(loop, "127.0.0.1", 0, false).value()),
        opening{.endpoint =
                    endpoint_at(acceptor.port(), net::TlsMode::kDisable, std::chrono::seconds(5)),
                .login = login_of_tester(),
                .hash_key = {}},
        shared(std::make_shared<SharedPool>(
            PoolKey{}, workers, core::PoolLimits{.size = size, .waiters_max = clients_count},
            std::make_shared<std::atomic<uint32_t>>(0))),
        pool(loop, core::WorkerId{0}, mail, shared, opening) {
    mail.pools.push_back(&pool);
    for (uint32_t i = 0; i < clients_count; ++i) clients.emplace_back(pool, served);
  }

  /// A new server, which that client is waiting for.
  Task<void> let_in(Client& client) {
    auto accepted = co_await acceptor.accept();
    servers.emplace_back(std::move(*accepted)).write(welcome_of_server());
    while (client.kept == nullptr) co_await loop.yield();
  }

  /// The first client has the only server, and all others wait for it.
  Task<void> let_all_wait() {
    clients.front().keeps = true;
    for (Client& client : clients) EXPECT_EQ(pool.acquire(client, {}), nullptr);
    co_await let_in(clients.front());
  }

  /// The client has a server of its own, which did not exist before.
  Task<void> open_for(Client& client) {
    client.keeps = true;
    EXPECT_EQ(client.pool.acquire(client, {}), nullptr);
    co_await let_in(client);
  }

  Task<void> end() {
    for (Client& client : clients) {
      if (client.waiting()) pool.give_up(client);
    }
    pool.close_all();
    co_await pool.join();
  }

  Loop loop;
  Mail mail;
  net::Acceptor acceptor;
  PoolOpening opening;
  std::shared_ptr<SharedPool> shared;
  Pool pool;
  std::deque<net::Stream> servers;
  std::vector<const Client*> served;
  std::deque<Client> clients;
};

/// Another worker's part of the same pool, with a client of its own.
struct TwoWorkers : TestPool {
  explicit TwoWorkers(uint32_t size) : TestPool(size, 2, 2) { mail.pools.push_back(&other); }

  Task<void> end_both() {
    other.close_all();
    co_await other.join();
    co_await end();
  }

  Pool other{loop, core::WorkerId{1}, mail, shared, opening};
  Client its_client{other, served};
};

struct OneServerPool : TestPool {
  OneServerPool() : TestPool(1, 100'000) {}
};

// Each would need its own part of the stack, if one were served while the one before it is.
TEST(Pool, AServerIsPassedOnByAllWhoCannotUseItInTheirOrder) {
  OneServerPool whole;
  net::run(whole.loop, [](OneServerPool& test) -> Task<void> {
    co_await test.let_all_wait();
    test.pool.release(*test.clients.front().kept);
    EXPECT_EQ(test.served.size(), test.clients.size());
    for (size_t i = 0; i < test.served.size(); ++i) {
      if (test.served[i] != &test.clients[i]) ADD_FAILURE() << i << " is not served in its turn";
    }
    co_await test.end();
  }(whole));
}

TEST(Pool, WhoComesBackForTheSameIsServedBeforeAllWhoCameLater) {  // D16 b
  OneServerPool whole;
  net::run(whole.loop, [](OneServerPool& test) -> Task<void> {
    co_await test.let_all_wait();
    for (const size_t keeps : {2u, 3u}) test.clients[keeps].keeps = true;
    test.pool.release(*test.clients[0].kept);  // The next one gives it back, and comes again.
    EXPECT_EQ(test.pool.acquire(test.clients[1], {}), nullptr);
    EXPECT_EQ(test.pool.acquire(test.clients[0], {}), nullptr);
    test.clients[0].keeps = test.clients[1].keeps = true;
    test.pool.release(*test.clients[2].kept);
    test.pool.release(*test.clients[0].kept);
    test.pool.release(*test.clients[1].kept);
    const std::vector<const Client*> expected{&test.clients[0], &test.clients[1], &test.clients[2],
                                              &test.clients[0], &test.clients[1], &test.clients[3]};
    EXPECT_EQ(test.served, expected);
    co_await test.end();
  }(whole));
}

TEST(Pool, AServerGoesOnToTheNextWhenWhoIsToHaveItHasLeft) {
  OneServerPool whole;
  net::run(whole.loop, [](OneServerPool& test) -> Task<void> {
    co_await test.let_all_wait();
    test.clients[1].sends_away = &test.clients[2];
    test.clients[4].keeps = true;
    test.pool.release(*test.clients.front().kept);
    const std::vector<const Client*> expected{&test.clients[0], &test.clients[1], &test.clients[3],
                                              &test.clients[4]};
    EXPECT_EQ(test.served, expected);
    EXPECT_FALSE(test.clients[2].waiting());
    EXPECT_NE(test.clients[4].kept, nullptr);
    co_await test.end();
  }(whole));
}

TEST(Pool, WhatWasOpenedBeforeASuddenDeathIsLentToNobodyAfterIt) {  // A60
  TestPool whole(2, 4);
  net::run(whole.loop, [](TestPool& test) -> Task<void> {
    co_await test.open_for(test.clients[0]);
    co_await test.open_for(test.clients[1]);
    test.pool.release(*test.clients[0].kept);  // It is idle.
    test.pool.on_sudden_death();
    co_await test.open_for(test.clients[2]);
    test.pool.release(*test.clients[1].kept);
    co_await test.open_for(test.clients[3]);
    test.pool.release(*test.clients[3].kept);  // This one is young enough.
    EXPECT_EQ(test.pool.acquire(test.clients[0], {}), test.clients[3].kept);
    co_await test.end();
  }(whole));
}

TEST(Pool, WhatAnotherWorkerHasSeenDieIsNotLentHereEither) {  // A60
  TwoWorkers whole(2);
  net::run(whole.loop, [](TwoWorkers& test) -> Task<void> {
    co_await test.open_for(test.clients[0]);
    test.pool.release(*test.clients[0].kept);
    test.other.on_sudden_death();
    co_await test.open_for(test.clients[1]);
    co_await test.end_both();
  }(whole));
}

TEST(Pool, AnotherWorkerIsNotGivenWhatItHasSeenDie) {  // A60
  TwoWorkers whole(1);  // The only server is idle here, and asked for there.
  net::run(whole.loop, [](TwoWorkers& test) -> Task<void> {
    co_await test.open_for(test.clients[0]);
    test.pool.release(*test.clients[0].kept);
    test.other.on_sudden_death();
    co_await test.open_for(test.its_client);
    co_await test.end_both();
  }(whole));
}

}  // namespace
}  // namespace fairlead::proxy
