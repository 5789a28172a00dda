// post_json(): one HTTP request, each step under one deadline.
#include "server/api/webhook_worker.hpp"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <exception>

namespace wajah::server {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

struct Target {
  std::string host, port, path;
  std::string field;  // Host: with the port if it is not the scheme's, an IPv6 address in brackets
  bool tls = false;
};

std::optional<std::string> fault_of(const boost::urls::url_view& url) {
  const bool known = url.scheme_id() == boost::urls::scheme::https || url.scheme_id() == boost::urls::scheme::http;
  if (!known) return "expected it to begin with https:// or http://";
  if (url.encoded_host_address().empty()) return "it names no host";
  if (url.has_userinfo()) return "it holds a name or password, which would be sent to nobody; leave them out";
  if (url.has_fragment()) return "it has a part after #, which is never sent; leave it out";
  if (!url.has_port()) return std::nullopt;
  const std::string_view text = url.port();
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || port < 1 || port > 65535) return "its port is none, expected 1 to 65535";
  return std::nullopt;
}

std::optional<Target> target_of(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || fault_of(*parsed)) return std::nullopt;
  const boost::urls::url_view url = *parsed;
  Target target;
  target.tls = url.scheme_id() == boost::urls::scheme::https;
  target.host = url.encoded_host_address();
  target.field = url.encoded_host_and_port();
  target.port = url.has_port() ? std::string(url.port()) : target.tls ? "443" : "80";
  target.path = std::string(url.encoded_resource());
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  return target;
}

using Message = http::request<http::string_body>;

Message message_to(const Target& target, std::string_view body, const PostHeaders& headers) {
  Message message(http::verb::post, target.path, 11);
  message.set(http::field::host, target.field);
  message.set(http::field::user_agent, "wajah");
  message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : headers) message.set(name, value);
  message.body() = std::string(body);
  message.prepare_payload();
  return message;
}

// Sends the message and reads the answer's header; its body is nobody's business.
template <class Stream>
asio::awaitable<int> talk(Stream& stream, Message& message) {
  co_await http::async_write(stream, message, asio::use_awaitable);
  beast::flat_buffer buffer(std::size_t{64} << 10);
  http::response_parser<http::empty_body> parser;
  co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
  co_return parser.get().result_int();
}

asio::awaitable<int> send(const Target& target, Message message, std::chrono::milliseconds deadline,
                          const std::filesystem::path& ca_file) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto addresses = co_await resolver.async_resolve(target.host, target.port, asio::use_awaitable);
  if (!target.tls) {
    beast::tcp_stream stream(executor);
    stream.expires_after(deadline);
    co_await stream.async_connect(addresses, asio::use_awaitable);
    co_return co_await talk(stream, message);
  }
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_default_verify_paths();
  if (!ca_file.empty()) context.load_verify_file(ca_file.string());
  context.set_verify_mode(asio::ssl::verify_peer);
  beast::ssl_stream<beast::tcp_stream> stream(executor, context);
  stream.set_verify_callback(asio::ssl::host_name_verification(target.host));
  SSL_set_tlsext_host_name(stream.native_handle(), target.host.c_str());
  beast::get_lowest_layer(stream).expires_after(deadline);
  co_await beast::get_lowest_layer(stream).async_connect(addresses, asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_return co_await talk(stream, message);
}

}  // namespace

std::optional<std::string> fault_of_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return "it is no URL: spaces, line breaks and letters beyond ASCII must be percent-encoded";
  return fault_of(*parsed);
}

Posted post_json(std::string_view url, std::string_view body, const PostHeaders& headers,
                 std::chrono::milliseconds deadline, const std::filesystem::path& ca_file) {
  const auto target = target_of(url);
  if (!target) return {0, "the address is no http or https URL"};
  asio::io_context io;
  Posted posted{0, "no answer in time"};
  asio::co_spawn(io, send(*target, message_to(*target, body, headers), deadline, ca_file),
                 [&](std::exception_ptr error, int status) {
                   posted = {status, {}};
                   try {
                     if (error) std::rethrow_exception(error);
                   } catch (const std::exception& fault) {
                     posted = {0, fault.what()};
                   }
                 });
  io.run_for(deadline);  // name resolution has no deadline of its own
  return posted;
}

}  // namespace wajah::server
