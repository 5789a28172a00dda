#include "client.hpp"

#include "conformance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace wajah::server {

using Clock = std::chrono::steady_clock;

Client::Client(std::uint16_t port, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  REQUIRE(socket_ >= 0);
  if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

Client::~Client() { ::close(socket_); }

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::fill(Clock::time_point limit) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - Clock::now()).count();
  pollfd waiting{socket_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0) return false;
  char bytes[16 * 1024];
  const auto received = ::recv(socket_, bytes, sizeof bytes, 0);
  ended_ = received == 0;
  if (received > 0) input_.append(bytes, static_cast<std::size_t>(received));
  return received > 0;
}

std::optional<Response> Client::receive(std::chrono::milliseconds limit, bool has_body) {
  const auto deadline = Clock::now() + limit;
  std::size_t head = 0;
  while ((head = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(deadline)) return std::nullopt;
  }
  Response response;
  std::string_view lines(input_.data(), head + 2);
  std::from_chars(lines.data() + 9, lines.data() + 12, response.status);
  lines.remove_prefix(lines.find("\r\n") + 2);
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    const auto colon = line.find(": ");
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    response.headers[name] = line.substr(colon + 2);
    lines.remove_prefix(line.size() + 2);
  }
  if (response.headers.contains("transfer-encoding")) {
    input_.erase(0, head + 4);
    return response;
  }
  const auto& length = response.headers["content-length"];
  const std::size_t size = has_body && !length.empty() ? std::stoul(length) : 0;
  while (input_.size() < head + 4 + size) {
    if (!fill(deadline)) return std::nullopt;
  }
  response.body = input_.substr(head + 4, size);
  input_.erase(0, head + 4 + size);
  return response;
}

bool Client::ends(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  return input_.empty() && !fill(deadline) && ended_;
}

std::optional<Response> Client::ask(std::string_view request, std::chrono::milliseconds limit) {
  send(request);
  auto response = receive(limit);
  if (!response) return response;
  // "METHOD target HTTP/1.1", perhaps after an empty line.
  request.remove_prefix(std::min(request.find_first_not_of("\r\n"), request.size()));
  const auto space = request.find(' ');
  const auto target = request.substr(space + 1, request.find(' ', space + 1) - space - 1);
  const auto fault = fault_of_answer(request.substr(0, space), target, *response);
  CHECK_MESSAGE(fault.empty(), fault);
  return response;
}

std::string Client::read_until(std::string_view text, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (input_.find(text) == std::string::npos && fill(deadline)) {
  }
  const auto found = input_.find(text);
  const auto size = found == std::string::npos ? input_.size() : found + text.size();
  auto result = input_.substr(0, size);
  input_.erase(0, size);
  return result;
}

Response ask_once(std::uint16_t port, std::string_view request, std::chrono::milliseconds limit) {
  Client client(port);
  const auto response = client.ask(request, limit);
  REQUIRE_MESSAGE(response.has_value(), "no answer to: " << std::string(request.substr(0, 200)));
  return *response;
}

std::string get(std::string_view path, std::string_view headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, headers);
}

std::string with_body(std::string_view verb_and_path, std::string_view content_type, std::string_view body,
                      std::string_view headers) {
  return fmt::format("{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}",
                     verb_and_path, content_type, body.size(), headers, body);
}

std::string part(std::string_view name, std::string_view value, std::optional<std::string_view> filename) {
  const auto file = filename ? fmt::format("; filename=\"{}\"", *filename) : std::string();
  return fmt::format("--B\r\nContent-Disposition: form-data; name=\"{}\"{}\r\n\r\n{}\r\n", name, file, value);
}

std::string form(std::string_view verb_and_path, std::string_view parts, std::string_view headers) {
  return with_body(verb_and_path, "multipart/form-data; boundary=B", std::string(parts) + "--B--\r\n", headers);
}

}  // namespace wajah::server
