// Session: one connection's life: read a request, answer it, again. Internal to the HTTP server.
#pragma once

#include "server/body_reader.hpp"
#include "server/fault.hpp"
#include "server/framing.hpp"
#include "server/router.hpp"
#include "server/server_core.hpp"
#include "server/transport.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

// The fields of a request header that the session acts on.
struct RequestHead {
  std::string method, target;
  Headers headers;
  Framing framing;
};

// A request with its place among the uploads; the place is free again when client and handler are both done with it.
struct HeldRequest : Request {
  explicit HeldRequest(ServerCore& server) : Request(server.spool), core(server) {}
  ~HeldRequest();
  HeldRequest(const HeldRequest&) = delete;
  HeldRequest& operator=(const HeldRequest&) = delete;
  HeldRequest(HeldRequest&&) = delete;
  HeldRequest& operator=(HeldRequest&&) = delete;

  // False if too many uploads are under way.
  [[nodiscard]] bool take_upload_place();

  ServerCore& core;
  bool has_place = false;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `address`: of the peer, as Connections counted it.
  Session(asio::ip::tcp::socket socket, std::string address, ServerCore& core);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;

  // Runs the session on its strand; it keeps itself alive until the connection has ended.
  void start();

  // The server is draining; from any thread.
  void drain();

 private:
  struct Exchange;

  asio::awaitable<void> run();
  asio::awaitable<bool> greet();
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<bool> exchange();
  asio::awaitable<std::optional<Reply>> read_head(Exchange& now);
  asio::awaitable<Reply> answer(Exchange& now);
  asio::awaitable<std::optional<Reply>> read_form(Exchange& now);
  asio::awaitable<void> skip_body(Exchange& now);
  asio::awaitable<Reply> run_in_lane(Exchange& now);
  asio::awaitable<bool> send(Exchange& now, Reply reply);
  asio::awaitable<bool> send_bytes(std::string_view head, std::string_view body);
  asio::awaitable<bool> send_source(Exchange& now, std::shared_ptr<BodySource> source, bool chunked);

  void log(const Exchange& now, const Reply& reply, std::string_view id, double taken) const;
  [[nodiscard]] std::optional<Reply> refuse_early(Exchange& now);
  [[nodiscard]] std::optional<Reply> refuse_busy(Exchange& now);
  [[nodiscard]] std::optional<Reply> refuse_who(Exchange& now);
  [[nodiscard]] std::size_t limit_of(const Route& route, const Request& request) const;
  [[nodiscard]] bool may_go_on(const Exchange& now) const;
  [[nodiscard]] WorkQueue& queue_of(Lane lane);

  ServerCore& core_;
  std::string address_;
  Transport transport_;
  bool first_ = true, idle_ = false;
  std::shared_ptr<asio::steady_timer> news_;  // while an answer goes on: cancelled when there is more of it
};

}  // namespace wajah::server
