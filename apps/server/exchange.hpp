// Exchange: one request and its answer, for as long as the session is about it.
#pragma once

#include "server/session.hpp"

namespace wajah::server {

struct Session::Exchange {
  Clock::time_point begun = Clock::now();
  RequestHead head;
  const Route* route = nullptr;
  std::shared_ptr<HeldRequest> request;
  std::optional<BodyReader> body;
  bool continued = false;  // the body is on its way: 100 Continue was sent or not asked for
  bool keep = true;        // the connection may be used again
  bool gone = false;       // nobody is there to answer
  Clock::duration reading{}, working{};
};

}  // namespace wajah::server
