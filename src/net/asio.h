// The one place that includes Boost.Asio, and the names that the rest of the program uses instead
// of its own.
//
// Every worker thread runs one Loop (loop.h), and everything that a loop owns lives and dies on its
// thread. Coroutines use the concrete executor: the type-erased default costs an allocation and an
// indirect call per operation.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace fairlead::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;

/// A coroutine of one loop. A named function, never a capturing lambda: a lambda's captures die
/// before its coroutine does.
template <class T>
using Task = asio::awaitable<T, Executor>;

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// Completion token: errors come back as values, and the operation itself is the awaitable, so no
/// coroutine frame is made.
inline constexpr auto use_result = asio::as_tuple(asio::deferred);

}  // namespace fairlead::net
