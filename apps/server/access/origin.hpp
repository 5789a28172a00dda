// Origin: where a request really comes from, which a proxy in between may tell and anybody may pretend.
#pragma once

#include "server/route.hpp"

#include <string>
#include <vector>

namespace wajah::server {

struct Origin {
  std::string address;    // of the client: the peer, or what a trusted proxy says
  bool is_local = false;  // a program on this machine, asking directly
};

// X-Forwarded-For counts only from a peer in `proxies`, and of it only what the last of them added. Local is a request
// over a loopback address that no proxy has passed on and that names this machine as its host: a web page whose name
// was made to point here (DNS rebinding) brings its own host.
[[nodiscard]] Origin origin_of(const Request& request, const std::vector<std::string>& proxies);

}  // namespace wajah::server
