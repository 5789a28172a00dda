#include "attendance/storage/page_mark.hpp"

#include <wajah/error.hpp>

#include <sodium.h>

#include <charconv>

namespace wajah::attendance {
namespace {

constexpr int alphabet = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

[[noreturn]] void refuse() { fail(ErrorKind::input, "the cursor is none that a page gave; begin at the first page"); }

}  // namespace

std::string text_of(const PageMark& mark) {
  const std::string plain = std::to_string(mark.id) + ":" + mark.key;
  std::string text(sodium_base64_encoded_len(plain.size(), alphabet), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                    alphabet);
  text.pop_back();  // the terminating zero
  return text;
}

std::optional<PageMark> mark_in(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::string plain(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(plain.data()), plain.size(), text.data(), text.size(), nullptr,
                        &size, nullptr, alphabet) != 0) {
    refuse();
  }
  plain.resize(size);
  PageMark mark;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), mark.id);
  if (error != std::errc() || end == plain.data() + plain.size() || *end != ':') refuse();
  mark.key = plain.substr(static_cast<std::size_t>(end - plain.data()) + 1);
  return mark;
}

}  // namespace wajah::attendance
