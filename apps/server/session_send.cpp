// How a session answers: the head, the body in pieces or as it comes, and the line of the access log.
#include "server/exchange.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>

#include <ctime>
#include <sstream>
#include <utility>

namespace wajah::server {
namespace http = boost::beast::http;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string timing_text(const std::vector<Timing>& timings) {
  std::string text;
  for (const auto& [stage, taken] : timings) text += fmt::format("{};dur={:.1f}, ", stage, taken);
  return text;
}

// What a browser may do with an answer, whatever it is.
void set_guards(http::response<http::empty_body>& message, bool encrypted) {
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Referrer-Policy", "no-referrer");
  message.set("Content-Security-Policy",
              "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
  if (encrypted) message.set(http::field::strict_transport_security, "max-age=31536000");
}

}  // namespace

void Session::log(const Exchange& now, const Reply& reply, std::string_view id, double taken) const {
  AccessLine line{now.route ? std::string_view(now.head.method) : "-",
                  now.route ? now.route->path : "-",
                  reply.status,
                  taken,
                  reply.body.size(),
                  id,
                  {}};
  if (now.reading.count() > 0) line.stages.emplace_back("body", milliseconds(now.reading));
  if (now.working.count() > 0) line.stages.emplace_back("work", milliseconds(now.working));
  for (const auto& [stage, time] : reply.timings) line.stages.emplace_back(stage, time);
  core_.log(line);
}

asio::awaitable<bool> Session::send(Exchange& now, Reply reply) {
  // HTTP/1.0 knows no chunks: the end of the connection is the end of such a body.
  const bool ends_open = reply.source && now.head.framing.is_1_0;
  const bool keep = now.keep && now.head.framing.keep_alive && !core_.draining && !ends_open;
  const auto taken = Clock::now() - now.begun;
  const std::string id = now.request ? now.request->id : fmt::format("{}-{:x}", core_.id_prefix, ++core_.requests);
  if (core_.log) log(now, reply, id, milliseconds(taken));
  http::response<http::empty_body> message;
  message.version(now.head.framing.is_1_0 ? 10 : 11);
  message.result(static_cast<unsigned>(reply.status));
  message.set(http::field::server, "wajah");
  message.set(http::field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  if (!reply.content_type.empty()) message.set(http::field::content_type, reply.content_type);
  set_guards(message, transport_.is_encrypted());
  message.set("X-Request-Id", id);
  message.set("Server-Timing",
              timing_text(reply.timings) + fmt::format("body;dur={:.1f}, work;dur={:.1f}, total;dur={:.1f}",
                                                       milliseconds(now.reading), milliseconds(now.working),
                                                       milliseconds(taken)));
  for (const auto& [name, value] : reply.headers) {
    if (name == "Set-Cookie") {
      message.insert(name, value);
    } else {
      message.set(name, value);
    }
  }
  message.keep_alive(keep);
  if (reply.source) {
    message.chunked(!ends_open);
  } else if (reply.status != 204) {
    message.content_length(reply.body.size());
  }

  std::ostringstream head;
  head << message.base();
  const bool sent = co_await send_bytes(head.view(), now.head.method == "HEAD" ? std::string_view() : reply.body);
  if (!sent) co_return false;
  if (!reply.source || now.head.method == "HEAD") co_return keep;
  const bool sent_all = co_await send_source(now, std::move(reply.source), !ends_open);
  if (!sent_all) co_return false;
  co_return keep;
}

// Each piece has the deadline of an answer: a large one on a slow link is not late as long as it moves.
asio::awaitable<bool> Session::send_bytes(std::string_view head, std::string_view body) {
  constexpr std::size_t piece = std::size_t{64} << 10;
  do {
    const auto now = body.substr(0, piece);
    transport_.set_deadline(Clock::now() + core_.options.write_deadline);
    const Outcome outcome = co_await transport_.write(head, now);
    transport_.clear_deadline();
    if (outcome != Outcome::ok) co_return false;
    head = {};
    body.remove_prefix(now.size());
  } while (!body.empty());
  co_return true;
}

// Whether whoever began to listen may still: keys are revoked, accounts changed and sessions ended meanwhile.
bool Session::may_go_on(const Exchange& now) const {
  if (!core_.site.authenticate || now.route->scope == Scope::open) return true;
  auto who = core_.site.authenticate(*now.request, *now.route);
  const auto* caller = std::get_if<Caller>(&who);
  const auto& before = now.request->caller;
  return caller && caller->name == before.name && caller->site == before.site && caller->scopes == before.scopes;
}

// A body as it comes, until it ends, the peer has gone or the server drains.
asio::awaitable<bool> Session::send_source(Exchange& now, std::shared_ptr<BodySource> source, bool chunked) {
  const auto executor = transport_.socket().get_executor();
  news_ = std::make_shared<asio::steady_timer>(executor);
  source->on_news([news = std::weak_ptr(news_), executor] {
    asio::post(executor, [news] {
      if (const auto timer = news.lock()) timer->cancel();
    });
  });
  bool last = false;
  Outcome outcome = Outcome::ok;
  while (!last && outcome == Outcome::ok) {
    auto piece = source->next();
    if (piece.bytes.empty() && !piece.last && core_.draining) piece.last = true;
    if (piece.bytes.empty() && !piece.last) {
      // News that came since next() wait behind this on the strand, so none is missed.
      news_->expires_after(core_.options.heartbeat);
      const auto [error] = co_await news_->async_wait(use_tuple);
      piece.last = core_.draining;
      if (!error) piece.bytes = source->heartbeat();
    }
    // Only bodies that may go on for ever have a heartbeat. Whose key was revoked hears nothing that comes after.
    if (!source->heartbeat().empty() && !may_go_on(now)) piece = {{}, true};
    if (piece.bytes.empty() && !piece.last) continue;
    last = piece.last;
    std::string frame = piece.bytes;
    if (chunked && !frame.empty()) frame = fmt::format("{:x}\r\n{}\r\n", frame.size(), frame);
    if (chunked && last) frame += "0\r\n\r\n";
    transport_.set_deadline(Clock::now() + core_.options.write_deadline);
    outcome = co_await transport_.write(frame);
    transport_.clear_deadline();
  }
  news_.reset();
  co_return outcome == Outcome::ok;
}

}  // namespace wajah::server
