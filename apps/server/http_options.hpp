// What the HTTP server may use and how long it waits. The defaults are those of a machine at an office door.
#pragma once

#include "server/chunked.hpp"
#include "server/form.hpp"
#include "server/framing.hpp"
#include "server/spool.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace wajah::server {

struct ListenAddress {
  std::string host = "127.0.0.1";  // an IP address
  std::uint16_t port = 8006;       // 0: any free one
};

// "127.0.0.1:8006", "[::1]:8006", "localhost:8006", ":8006" or "8006". Throws Error (usage) on anything else.
[[nodiscard]] ListenAddress parse_listen_address(std::string_view text);
[[nodiscard]] bool is_loopback(const ListenAddress& address);
[[nodiscard]] std::string url_of(const ListenAddress& address, std::string_view scheme = "http");  // "http://[::1]:80"

using Milliseconds = std::chrono::milliseconds;

struct HttpOptions {
  ListenAddress listen;
  // The certificate to greet a new connection with, from any thread; nothing: plain HTTP.
  std::function<std::shared_ptr<boost::asio::ssl::context>()> tls;
  std::filesystem::path spool_folder = ".";

  std::size_t network_threads = 2;
  std::size_t max_connections = 12'000;
  std::size_t max_connections_per_address = 256;  // loopback is exempt: a proxy's connections all come from there
  std::vector<std::string> unlimited_addresses;   // and so are these

  Milliseconds head_deadline{10'000};   // from a request's first byte to its empty line
  Milliseconds idle_deadline{30'000};   // between two requests
  Milliseconds write_deadline{10'000};  // of one answer
  Milliseconds heartbeat{15'000};       // of answers that go on, such as the event feed
  Milliseconds drain_deadline{10'000};  // from drain() until what still runs is cut off
  Milliseconds drain_idle{500};         // what an idle connection may still ask when draining
  Milliseconds linger{2'000};           // how long a peer may go on sending after it was refused

  // A body may come slowly, but in each window after the grace at least this many bytes a second.
  Milliseconds body_grace{5'000}, body_window{10'000};
  std::size_t body_bytes_per_second = 1024;

  std::size_t recognise_threads = 16, recognise_queue = 64;
  std::size_t manage_threads = 4, manage_queue = 16;
  std::size_t query_threads = 4, query_queue = 64;
  Milliseconds recognise_deadline{15'000}, manage_deadline{200'000}, query_deadline{30'000};
  std::size_t uploads_at_once = 4;  // bodies larger than `large_body`, or that may be
  std::size_t large_body = std::size_t{16} << 20;
  std::size_t skipped_body = std::size_t{64}
                             << 10;  // unread bodies up to this are read over, larger ones end the connection
  std::size_t linger_bytes = std::size_t{32} << 20;

  HeadLimits head;
  ChunkLimits chunks;
  FormLimits form;
  SpoolSpace::Limits spool;
};

// One answered request, without personal data: the path is that of the route table, never what the client sent.
struct AccessLine {
  std::string_view method, path;
  int status = 0;
  double milliseconds = 0;
  std::size_t bytes = 0;  // of the answer's body
  std::string_view id;
  std::vector<std::pair<std::string_view, double>> stages;  // milliseconds of "body", "work", "decode", "detect", ...
};

using AccessLog = std::function<void(const AccessLine&)>;  // called from any thread

}  // namespace wajah::server
