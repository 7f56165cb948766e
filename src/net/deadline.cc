#include "net/deadline.h"

namespace fairlead::net {

Deadline::Deadline(Loop& loop, Stream& stream, Duration span)
    : state_(std::make_shared<State>(State{&stream})), timer_(loop.executor(), span) {
  timer_.async_wait([state = state_](boost::system::error_code error) {
    if (error || state->stream == nullptr) return;
    state->expired = true;
    state->stream->shutdown();
  });
}

Deadline::~Deadline() { state_->stream = nullptr; }

}  // namespace fairlead::net
