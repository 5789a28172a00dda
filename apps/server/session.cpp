#include "server/exchange.hpp"
#include "server/text.hpp"

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace wajah::server {
namespace http = boost::beast::http;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

constexpr std::string_view plain_to_tls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 83\r\n\r\n"
    R"({"detail":"This port speaks HTTPS only; use an address that begins with https://"})"
    "\n";

// Why a browser's request from somebody else's page is refused: a page anywhere could otherwise enrol or delete people
// on a server that its reader's machine can reach. Programs send neither header.
bool is_cross_site(const Request& head) {
  if (head.method == "GET" || head.method == "HEAD") return false;
  const auto fetch_site = head.headers.get("sec-fetch-site"), origin = head.headers.get("origin");
  if (!fetch_site.empty()) return fetch_site != "same-origin" && fetch_site != "none";
  if (origin.empty()) return false;
  const auto scheme = origin.find("://");
  return scheme == std::string::npos || !equal_ignoring_case(origin.substr(scheme + 3), head.headers.get("host"));
}

Milliseconds deadline_of(const HttpOptions& options, Lane lane) {
  if (lane == Lane::recognise) return options.recognise_deadline;
  return lane == Lane::query ? options.query_deadline : options.manage_deadline;
}

bool is_request_id(std::string_view id) { return !id.empty() && id.size() <= 64 && is_token(id); }

// The guard has checked how the request is framed; Beast reads its fields. Both must find it well-formed.
bool parse_fields(std::string_view text, RequestHead& head) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(text.size() + 1));
  parser.body_limit(boost::none);
  boost::system::error_code error;
  parser.put(asio::buffer(text), error);
  if ((error && error != http::error::need_more) || !parser.is_header_done()) return false;
  const auto& message = parser.get();
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  for (const auto& field : message) head.headers.add(to_lower(field.name_string()), std::string(field.value()));
  return true;
}

}  // namespace

HeldRequest::~HeldRequest() {
  if (has_place) --core.uploads;
}

bool HeldRequest::take_upload_place() {
  has_place = true;
  return ++core.uploads <= core.options.uploads_at_once;
}

Session::Session(asio::ip::tcp::socket socket, std::string address, ServerCore& core)
    : core_(core), address_(std::move(address)), transport_(std::move(socket)) {}

Session::~Session() { core_.connections.leave(this, address_); }

void Session::start() {
  transport_.set_owner(weak_from_this());
  auto self = shared_from_this();
  core_.connections.add(self);
  asio::co_spawn(transport_.socket().get_executor(), run(), [self](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& fault) {
      self->transport_.abort();
      self->core_.site.warn(fmt::format("a connection ended by a fault: {}", fault.what()));
    }
  });
}

void Session::drain() {
  asio::post(transport_.socket().get_executor(), [self = shared_from_this()] {
    if (self->idle_) self->transport_.set_deadline(Clock::now() + self->core_.options.drain_idle);
    if (self->news_) self->news_->cancel();
  });
}

asio::awaitable<void> Session::run() {
  // g++ 12 evaluates a co_await behind && whatever stands before it, so there is one in no condition.
  bool open = co_await greet();
  while (open) {
    open = co_await wait_for_request();
    if (open) open = co_await exchange();
  }
  co_await transport_.close(core_.options.linger, core_.options.linger_bytes);
}

// Where TLS is on, the handshake; whoever speaks plain HTTP to it gets one sentence, since a browser shows nothing
// else.
asio::awaitable<bool> Session::greet() {
  if (!core_.options.tls) co_return true;
  transport_.set_deadline(Clock::now() + core_.options.head_deadline);
  const Greeting greeting = co_await transport_.greeting();
  Outcome outcome = Outcome::closed;
  if (greeting == Greeting::tls) outcome = co_await transport_.encrypt(core_.options.tls());
  if (greeting == Greeting::other) (void)co_await transport_.write(plain_to_tls);
  co_return outcome == Outcome::ok;
}

asio::awaitable<bool> Session::wait_for_request() {
  auto& input = transport_.input();
  if (!input.empty()) co_return true;
  std::string().swap(input);
  const auto& options = core_.options;
  const auto patience = core_.draining ? options.drain_idle : first_ ? options.head_deadline : options.idle_deadline;
  first_ = false;
  idle_ = true;
  transport_.set_deadline(Clock::now() + patience);
  const Outcome outcome = co_await transport_.fill(options.head.bytes);
  idle_ = false;
  co_return outcome == Outcome::ok;
}

asio::awaitable<bool> Session::exchange() {
  Exchange now;
  std::optional<Reply> reply = co_await read_head(now);
  if (!reply && !now.gone) reply = co_await answer(now);
  if (now.gone || !reply) co_return false;
  co_return co_await send(now, std::move(*reply));
}

// The header into `now`, or the reply to one that cannot be taken; nothing came if now.gone.
asio::awaitable<std::optional<Reply>> Session::read_head(Exchange& now) {
  const auto refuse = [&](const Fault& fault) {
    now.keep = false;
    return fault_reply(fault);
  };
  auto& input = transport_.input();
  transport_.set_deadline(now.begun + core_.options.head_deadline);
  HeadScanner scanner(core_.options.head);
  bool skipped = false;
  std::size_t size = 0;
  while (size == 0) {
    const auto found = scanner.scan(input);
    if (const auto* fault = std::get_if<Fault>(&found)) co_return refuse(*fault);
    if (const auto* end = std::get_if<std::size_t>(&found)) size = *end;
    // One empty line before a request is forgiven (RFC 9112, 2.2): old clients end a form with one too many.
    if (size == 2 && !std::exchange(skipped, true)) {
      input.erase(0, std::exchange(size, 0));
      scanner = HeadScanner(core_.options.head);
      continue;
    }
    if (size > 0) break;
    const Outcome outcome = co_await transport_.fill(core_.options.head.bytes);
    now.gone = outcome != Outcome::ok;
    if (now.gone) co_return std::nullopt;
  }
  transport_.clear_deadline();
  const auto text = std::string_view(input).substr(0, size);
  const auto framing = inspect(text);
  if (const auto* fault = std::get_if<Fault>(&framing)) co_return refuse(*fault);
  if (!parse_fields(text, now.head)) co_return refuse({FaultKind::framing, "the header cannot be read"});
  now.head.framing = std::get<Framing>(framing);
  now.continued = !now.head.framing.expects_continue;
  input.erase(0, size);
  co_return std::nullopt;
}

asio::awaitable<Reply> Session::answer(Exchange& now) {
  now.request = std::make_shared<HeldRequest>(core_);
  auto& request = *now.request;
  const auto id = now.head.headers.get("x-request-id");
  request.id = is_request_id(id) ? std::string(id) : fmt::format("{}-{:x}", core_.id_prefix, ++core_.requests);
  request.method = now.head.method;
  request.target = now.head.target;
  request.address = address_;
  request.headers = std::move(now.head.headers);
  auto found = find_route(core_.site, request);
  if (const auto* route = std::get_if<const Route*>(&found)) now.route = *route;
  request.is_1_0 = now.head.framing.is_1_0;
  const auto limit = now.route ? limit_of(*now.route, request) : core_.options.skipped_body;
  now.body.emplace(now.head.framing, limit, core_.options);

  std::optional<Reply> reply;
  if (!now.route) reply = std::move(std::get<Reply>(found));
  if (!reply) reply = refuse_early(now);
  if (!reply) reply = co_await read_form(now);
  if (now.gone) co_return Reply{};
  if (reply) {
    co_await skip_body(now);
    co_return std::move(*reply);
  }
  if (now.route->lane == Lane::at_once) co_return run_prepared(*now.route, core_.site, *now.request);
  co_return co_await run_in_lane(now);
}

// What can be refused by the header alone: the cheapest moment to say no, and before 100 Continue invites the body.
std::optional<Reply> Session::refuse_early(Exchange& now) {
  const auto& route = *now.route;
  if (now.head.framing.length > limit_of(route, *now.request)) {
    now.keep = false;
    return failed(route, *now.request, {FaultKind::too_large, "Content-Length is over the route's limit"});
  }
  if (is_cross_site(*now.request)) {
    return failed(route, *now.request, 403, "Requests from another site's page are not taken", "cross_site");
  }
  if (auto refusal = refuse_who(now)) return refusal;
  if (auto refusal = refuse_content_type(route, *now.request, now.head.framing.has_body())) return refusal;
  if (route.lane == Lane::at_once) return std::nullopt;
  if (!core_.site.api && !route.without_models) {
    return failed(route, *now.request, 503, core_.site.without, "no_models").with("Retry-After", "60");
  }
  return refuse_busy(now);
}

std::optional<Reply> Session::refuse_who(Exchange& now) {
  auto& request = *now.request;
  request.caller = trusted_caller();
  if (core_.site.authenticate) {
    auto who = core_.site.authenticate(request, *now.route);
    if (auto* refusal = std::get_if<Reply>(&who)) return std::move(*refusal);
    request.caller = std::move(std::get<Caller>(who));
  }
  return refuse_caller(*now.route, request);
}

WorkQueue& Session::queue_of(Lane lane) {
  if (lane == Lane::recognise) return core_.recognise;
  return lane == Lane::query ? core_.query : core_.manage;
}

std::size_t Session::limit_of(const Route& route, const Request& request) const {
  return route.takes_body() ? body_limit_of(route, request) : core_.options.skipped_body;
}

std::optional<Reply> Session::refuse_busy(Exchange& now) {
  const auto& route = *now.route;
  const auto& framing = now.head.framing;
  // A body that comes in pieces may be as large as its route allows.
  const auto most = framing.body == BodyKind::chunked ? limit_of(route, *now.request) : framing.length;
  const bool no_place = most > core_.options.large_body && !now.request->take_upload_place();
  if (!no_place && !queue_of(route.lane).full()) return std::nullopt;
  return failed(route, *now.request, 503, "Busy; try again in a moment");
}

// The body into the request's form; a reply if it cannot be taken.
asio::awaitable<std::optional<Reply>> Session::read_form(Exchange& now) {
  if (!now.head.framing.has_body()) co_return std::nullopt;
  if (!std::exchange(now.continued, true)) {
    transport_.set_deadline(Clock::now() + core_.options.write_deadline);
    const Outcome outcome = co_await transport_.write("HTTP/1.1 100 Continue\r\n\r\n");
    now.gone = outcome != Outcome::ok;
    if (now.gone) co_return std::nullopt;
  }
  const auto begun = Clock::now();
  const auto reader = make_body_reader(*now.route, *now.request, core_.options.form);
  const BodyReader::Take take = [&](std::string_view bytes) { return reader->push(bytes); };
  BodyEnd end = BodyEnd::complete;
  std::optional<Fault> fault;
  std::string storage_fault;
  try {
    end = co_await now.body->read(transport_, take);
    fault = end == BodyEnd::complete ? reader->finish() : now.body->fault();
  } catch (const Error& error) {
    storage_fault = error.what();
  }
  now.reading = Clock::now() - begun;
  now.gone = end == BodyEnd::closed;
  if (!storage_fault.empty()) {
    now.keep = false;
    core_.site.warn(fmt::format("request {}: {}", now.request->id, storage_fault));
    co_return failed(*now.route, *now.request, 503, "No room for the request now", "storage_unavailable");
  }
  if (end == BodyEnd::too_slow) {
    now.keep = false;
    co_return failed(*now.route, *now.request, 408, "The request's body came too slowly");
  }
  if (!fault) co_return std::nullopt;
  now.keep = now.keep && fault->kind != FaultKind::framing && fault->kind != FaultKind::too_large;
  co_return failed(*now.route, *now.request, *fault);
}

// Reads over a small rest of the body so that the connection can be used again; gives it up otherwise.
asio::awaitable<void> Session::skip_body(Exchange& now) {
  if (!now.head.framing.has_body() || now.body->complete()) co_return;
  const auto left = now.body->left();
  now.keep = now.keep && now.continued && left && *left <= core_.options.skipped_body;
  if (!now.keep) co_return;
  BodyReader rest({BodyKind::length, *left}, core_.options.skipped_body, core_.options);
  const BodyReader::Take take = [](std::string_view) { return std::optional<Fault>(); };
  const BodyEnd end = co_await rest.read(transport_, take);
  now.keep = end == BodyEnd::complete;
}

asio::awaitable<Reply> Session::run_in_lane(Exchange& now) {
  struct Pending {
    explicit Pending(const asio::any_io_executor& executor) : done(executor) {}
    asio::steady_timer done;
    std::optional<Reply> reply;
    std::atomic<bool> abandoned{false};
  };
  const auto begun = Clock::now();
  const auto executor = transport_.socket().get_executor();
  const auto pending = std::make_shared<Pending>(executor);
  pending->done.expires_after(deadline_of(core_.options, now.route->lane));
  const bool posted =
      queue_of(now.route->lane).post([pending, executor, request = now.request, route = now.route, &site = core_.site] {
        // Nobody waits for it any more: begun now, it would only delay those who do.
        if (pending->abandoned) return;
        asio::post(executor, [pending, reply = run_prepared(*route, site, *request)]() mutable {
          pending->reply = std::move(reply);
          pending->done.cancel();
        });
      });
  if (!posted) co_return failed(*now.route, *now.request, 503, "Busy; try again in a moment");
  // The reply is posted to this strand, so it cannot come before the wait has begun.
  co_await pending->done.async_wait(use_tuple);
  now.working = Clock::now() - begun;
  if (pending->reply) co_return std::move(*pending->reply);
  pending->abandoned = true;
  co_return failed(*now.route, *now.request, 504, "Not done in time");
}

}  // namespace wajah::server
