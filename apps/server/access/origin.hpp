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

// X-Forwarded-For counts only from a peer in `proxies`, and of all its fields together only what the last of them
// added. Local is a request over a loopback address that shows no sign of a proxy and that names this machine as its
// host: a web page whose name was made to point here (DNS rebinding) brings its own host. A proxy that hides well is
// not found out: who runs one on this machine sets auth.required.
[[nodiscard]] Origin origin_of(const Request& request, const std::vector<std::string>& proxies);

}  // namespace wajah::server
