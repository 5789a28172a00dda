#include "server/access/origin.hpp"

#include "server/text.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <string_view>

namespace wajah::server {
namespace {

bool is_address(std::string_view text) {
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(text), error);
  return !error;
}

bool is_loopback(std::string_view address) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(std::string(address), error);
  if (error) return false;
  if (parsed.is_v6() && parsed.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, parsed.to_v6()).is_loopback();
  }
  return parsed.is_loopback();
}

// "localhost:8006", "127.0.0.1", "[::1]:8006": hosts that no name server can hand out. Another address of this machine
// in a request over loopback is what a proxy passes on of a browser's.
bool names_this_machine(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end != std::string_view::npos && is_loopback(host.substr(1, end - 1));
  }
  host = host.substr(0, host.find(':'));
  return equal_ignoring_case(host, "localhost") || is_loopback(host);
}

// What proxies add. One that adds nothing is known by HTTP/1.0, which nginx speaks to servers unless told otherwise,
// and which no browser, curl or client library of today does.
bool was_passed_on(const Request& request) {
  constexpr std::string_view marks[] = {"forwarded",        "x-real-ip",           "via",
                                        "x-client-ip",      "x-cluster-client-ip", "x-original-forwarded-for",
                                        "x-original-host",  "x-original-url",      "x-proxyuser-ip",
                                        "cf-connecting-ip", "true-client-ip",      "fastly-client-ip",
                                        "cdn-loop",         "client-ip",           "proxy-connection"};
  const auto& headers = request.headers;
  return request.is_1_0 || headers.any_begins("x-forwarded") || headers.any_begins("x-envoy-") ||
         headers.any_begins("cf-") || headers.any_begins("x-amzn-") ||
         std::ranges::any_of(marks, [&](std::string_view mark) { return headers.find(mark) != nullptr; });
}

bool is_among(const std::vector<std::string>& proxies, std::string_view address) {
  return std::ranges::find(proxies, address) != proxies.end();
}

// Each proxy appends the address it was asked from, so the list is believed from its end as long as it names proxies.
std::string forwarded_client(std::string_view list, const std::vector<std::string>& proxies, std::string peer) {
  while (!list.empty()) {
    const auto comma = list.rfind(',');
    const auto last = trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
    if (!is_address(last)) return peer;
    peer = std::string(last);
    if (!is_among(proxies, last) || comma == std::string_view::npos) return peer;
    list = list.substr(0, comma);
  }
  return peer;
}

}  // namespace

Origin origin_of(const Request& request, const std::vector<std::string>& proxies) {
  if (is_among(proxies, request.address)) {
    return {forwarded_client(request.headers.joined("x-forwarded-for"), proxies, request.address), false};
  }
  const bool local =
      is_loopback(request.address) && !was_passed_on(request) && names_this_machine(request.headers.get("host"));
  return {request.address, local};
}

}  // namespace wajah::server
