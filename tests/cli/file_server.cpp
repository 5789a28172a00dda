#include "cli/file_server.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <utility>

namespace wajah::test {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

template <class Write>
std::string pem_of(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  write(memory.get());
  char* data = nullptr;
  const long length = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

}  // namespace

Certificate make_certificate() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key.get());
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  for (const auto& [kind, value] :
       {std::pair(NID_subject_alt_name, "DNS:localhost"), std::pair(NID_basic_constraints, "critical,CA:TRUE")}) {
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, kind, value), X509_EXTENSION_free);
    X509_add_ext(x, extension.get(), -1);
  }
  X509_sign(x, key.get(), EVP_sha256());
  return {pem_of([&](BIO* out) { PEM_write_bio_X509(out, x); }),
          pem_of([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

FileServer::FileServer(Answer answer, std::optional<Certificate> certificate)
    : answer_(std::move(answer)), acceptor_(context_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  if (certificate) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(certificate->pem));
    tls_->use_private_key(asio::buffer(certificate->key_pem), asio::ssl::context::pem);
  }
  thread_ = std::thread([this] { serve(); });
}

FileServer::~FileServer() {
  stop_ = true;
  // A blocking accept ends only by a connection.
  ErrorCode none;
  asio::io_context context;
  Tcp::socket last(context);
  last.connect(acceptor_.local_endpoint(), none);
  thread_.join();
}

std::string FileServer::address() const {
  return fmt::format("{}:{}", tls_ ? "https://localhost" : "http://127.0.0.1", acceptor_.local_endpoint().port());
}

std::vector<std::string> FileServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void FileServer::serve() {
  while (true) {
    ErrorCode error;
    Tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (stop_ || error) return;
    if (!tls_) {
      exchange(socket);
      continue;
    }
    asio::ssl::stream<Tcp::socket> stream(std::move(socket), *tls_);
    stream.handshake(asio::ssl::stream_base::server, error);
    if (error) continue;
    exchange(stream);
    stream.shutdown(error);
  }
}

void FileServer::exchange(auto& stream) {
  ErrorCode error;
  std::string request;
  asio::read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n", error);
  if (error) return;
  {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
  }
  asio::write(stream, asio::buffer(answer_(request)), error);
}

std::string whole(const std::string& body) { return cut_after(body, body.size()); }

std::string cut_after(const std::string& body, std::size_t bytes) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body.substr(0, bytes));
}

std::string rest_from(const std::string& body, std::size_t first) {
  return fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n{}",
                     body.size() - first, first, body.size() - 1, body.size(), body.substr(first));
}

std::string refusal(const std::string& status) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n", status);
}

}  // namespace wajah::test
