// A TLS client for tests that trusts one authority only.
#pragma once

#include "client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace wajah::server {

class TlsClient {
 public:
  // Throws boost::system::system_error if the handshake fails. `change` may narrow the client's context before it.
  TlsClient(std::uint16_t port, const std::filesystem::path& authority, const std::string& host = "localhost",
            void (*change)(boost::asio::ssl::context&) = nullptr)
      : context_(boost::asio::ssl::context::tls_client), stream_(prepared(authority, change)) {
    stream_.next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    stream_.set_verify_mode(boost::asio::ssl::verify_peer);
    stream_.set_verify_callback(boost::asio::ssl::host_name_verification(host));
    stream_.handshake(boost::asio::ssl::stream_base::client);
  }

  // The whole answer to a request that asks for the connection's end.
  [[nodiscard]] std::string ask(std::string_view request) {
    boost::asio::write(stream_, boost::asio::buffer(request));
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(stream_, boost::asio::dynamic_buffer(answer), end);
    farewell_ = end == boost::asio::error::eof;  // a close_notify, not just the end of the connection
    return answer;
  }

  [[nodiscard]] bool had_farewell() const { return farewell_; }
  [[nodiscard]] std::string version() { return SSL_get_version(stream_.native_handle()); }

  // Of the server's certificate.
  [[nodiscard]] std::string serial() {
    X509* certificate = SSL_get1_peer_certificate(stream_.native_handle());
    const ASN1_INTEGER* number = X509_get0_serialNumber(certificate);
    std::string bytes(reinterpret_cast<const char*>(number->data), static_cast<std::size_t>(number->length));
    X509_free(certificate);
    return bytes;
  }

 private:
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> prepared(const std::filesystem::path& authority,
                                                                  void (*change)(boost::asio::ssl::context&)) {
    context_.load_verify_file(authority.string());
    if (change) change(context_);
    return {io_, context_};
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  bool farewell_ = false;
};

}  // namespace wajah::server
