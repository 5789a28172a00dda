#include "server/http_options.hpp"

#include <wajah/error.hpp>

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace wajah::server {
namespace {

boost::asio::ip::address address_of(const std::string& host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error)
    fail(ErrorKind::usage, "listen address \"{}\" is not an IP address; give 127.0.0.1:8006 or [::1]:8006", host);
  return address;
}

}  // namespace

ListenAddress parse_listen_address(std::string_view text) {
  ListenAddress result;
  const auto colon = text.rfind(':');
  auto host = colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
  const auto port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    fail(ErrorKind::usage, "listen address \"{}\" has no port from 0 to 65535; give 127.0.0.1:8006", text);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!host.empty() && host != "localhost") result.host = host;
  result.host = address_of(result.host).to_string();
  return result;
}

bool is_loopback(const ListenAddress& address) { return address_of(address.host).is_loopback(); }

std::string url_of(const ListenAddress& address, std::string_view scheme) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", scheme, is_v6 ? "[" : "", address.host, is_v6 ? "]" : "", address.port);
}

}  // namespace wajah::server
