#include "cli/download.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <exception>
#include <fstream>
#include <optional>
#include <system_error>

namespace wajah::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using Tcp = asio::ip::tcp;

constexpr auto patience = std::chrono::seconds(30);
constexpr std::size_t chunk = std::size_t{64} << 10U;

struct Address {
  std::string host, port, target;
  bool tls = false;
};

Address parse(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || (parsed->scheme() != "https" && parsed->scheme() != "http") || parsed->host().empty()) {
    fail(ErrorKind::usage, "{}: not an http or https address", quote(url));
  }
  const bool tls = parsed->scheme() == "https";
  const std::string port(parsed->port());
  return {parsed->host(), !port.empty() ? port : tls ? "443" : "80", std::string(parsed->encoded_target()), tls};
}

// "bytes 100-199/200": where a part begins, and the size of the whole.
struct Range {
  std::uint64_t first = 0, total = 0;
};

std::optional<Range> parse_range(std::string_view text) {
  Range range;
  if (!text.starts_with("bytes ")) return std::nullopt;
  const auto dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  if (!number(text.substr(6, dash - 6), range.first) || !number(text.substr(slash + 1), range.total))
    return std::nullopt;
  return range;
}

class Download {
 public:
  Download(Address address, std::filesystem::path file, std::uint64_t limit, const DownloadProgress& progress)
      : address_(std::move(address)), file_(std::move(file)), limit_(limit), progress_(progress) {}

  asio::awaitable<void> run() {
    std::error_code none;
    const std::uintmax_t size = std::filesystem::file_size(file_, none);
    have_ = none || size > limit_ ? 0 : size;
    bool done = co_await attempt();
    // A server that refuses the range has another file: nothing of the part can be used.
    if (!done && have_ > 0) {
      have_ = 0;
      done = co_await attempt();
    }
    if (!done) fail(ErrorKind::input, "{} answers with ranges nobody asked for", address_.host);
  }

 private:
  asio::awaitable<bool> attempt() {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    co_await connect(stream);
    if (!address_.tls) co_return co_await exchange(stream, stream);
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_default_verify_paths();
    beast::ssl_stream<beast::tcp_stream&> secure(stream, context);
    secure.set_verify_mode(asio::ssl::verify_peer);
    secure.set_verify_callback(asio::ssl::host_name_verification(address_.host));
    SSL_set_tlsext_host_name(secure.native_handle(), address_.host.c_str());
    stream.expires_after(patience);
    co_await secure.async_handshake(asio::ssl::stream_base::client, use_awaitable);
    co_return co_await exchange(secure, stream);
  }

  asio::awaitable<void> connect(beast::tcp_stream& stream) {
    Tcp::resolver resolver(stream.get_executor());
    const auto found = co_await resolver.async_resolve(address_.host, address_.port, use_awaitable);
    stream.expires_after(patience);
    co_await stream.async_connect(found, use_awaitable);
  }

  // `stream` speaks HTTP; `tcp` below it keeps the time. False if the server does not go on where the part ends.
  asio::awaitable<bool> exchange(auto& stream, beast::tcp_stream& tcp) {
    http::request<http::empty_body> request(http::verb::get, address_.target, 11);
    request.set(http::field::host, address_.host);
    request.set(http::field::user_agent, "wajah");
    request.set(http::field::connection, "close");
    if (have_ > 0) request.set(http::field::range, fmt::format("bytes={}-", have_));
    tcp.expires_after(patience);
    co_await http::async_write(stream, request, use_awaitable);

    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);  // counted here, where it can be said what is too large
    co_await http::async_read_header(stream, buffer, parser, use_awaitable);
    if (!accept(parser)) co_return false;
    co_await read_body(stream, tcp, buffer, parser);
    co_return true;
  }

  bool accept(const http::response_parser<http::buffer_body>& parser) {
    const auto& answer = parser.get();
    const auto length = parser.content_length();
    if (answer.result() == http::status::ok) {
      have_ = 0;
      expect(length ? *length : 0);
      return true;
    }
    if (have_ > 0 && answer.result() == http::status::range_not_satisfiable) return false;
    if (have_ > 0 && answer.result() == http::status::partial_content) {
      const auto range = parse_range(answer[http::field::content_range]);
      if (!range || range->first != have_) return false;
      expect(range->total);
      return true;
    }
    fail(ErrorKind::input, "{} answers {} for {}", address_.host, answer.result_int(), quote(address_.target));
  }

  // 0: the server does not say.
  void expect(std::uint64_t total) {
    if (total > limit_) refuse_size(fmt::format("{} bytes", total));
    total_ = total;
  }

  // Whatever the file is, it is not the one that was asked for, and neither is its beginning.
  [[noreturn]] void refuse_size(std::string_view size) const {
    std::error_code none;
    std::filesystem::remove(file_, none);
    fail(ErrorKind::input, "{} has {} for {}, and {} are the most that is taken; nothing of it is kept", address_.host,
         size, quote(address_.target), limit_);
  }

  asio::awaitable<void> read_body(auto& stream, beast::tcp_stream& tcp, beast::flat_buffer& buffer,
                                  http::response_parser<http::buffer_body>& parser) {
    std::error_code failed;
    std::filesystem::create_directories(file_.parent_path(), failed);
    if (failed) fail(ErrorKind::storage, "{}: cannot be made: {}", file_.parent_path().string(), failed.message());
    std::ofstream out(file_, std::ios::binary | (have_ > 0 ? std::ios::app : std::ios::trunc));
    std::array<char, chunk> bytes;
    while (!parser.is_done()) {
      parser.get().body().data = bytes.data();
      parser.get().body().size = bytes.size();
      tcp.expires_after(patience);
      const auto [error, count] = co_await http::async_read(stream, buffer, parser, asio::as_tuple(use_awaitable));
      const std::size_t got = bytes.size() - parser.get().body().size;
      if (have_ + got > limit_) refuse_size(fmt::format("more than {} bytes", limit_));
      if (!out.write(bytes.data(), static_cast<std::streamsize>(got)).flush()) {
        fail(ErrorKind::storage, "{}: cannot be written", file_.string());
      }
      have_ += got;
      progress_(have_, total_);
      if (error && error != http::error::need_buffer) {
        fail(ErrorKind::input, "the connection to {} ended after {}{} bytes ({}); the same command goes on from there",
             address_.host, have_, total_ > 0 ? fmt::format(" of {}", total_) : "", error.message());
      }
    }
  }

  Address address_;
  std::filesystem::path file_;
  std::uint64_t limit_;
  const DownloadProgress& progress_;
  std::uint64_t have_ = 0, total_ = 0;
};

}  // namespace

void download(const std::string& url, const std::filesystem::path& file, std::uint64_t limit,
              const DownloadProgress& progress) {
  const Address address = parse(url);
  asio::io_context context;
  Download work(address, file, limit, progress);
  std::exception_ptr failure;
  asio::co_spawn(context, work.run(), [&](std::exception_ptr thrown) { failure = std::move(thrown); });
  context.run();
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    fail(ErrorKind::input, "{} port {} cannot be reached ({}); nothing was changed", address.host, address.port,
         error.code().message());
  }
}

}  // namespace wajah::cli
