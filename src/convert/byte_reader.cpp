#include <wajah/convert/byte_reader.hpp>

#include <algorithm>

namespace wajah {

std::span<const std::byte> ByteReader::take(std::uint64_t count, std::string_view what) {
  if (count > remaining()) {
    fail(kind_, "{}: {} at byte {} takes {} bytes, but only {} are left; is the file complete?", source_, what,
         offset(), count, remaining());
  }
  const std::span<const std::byte> taken = bytes_.subspan(at_, static_cast<std::size_t>(count));
  at_ += taken.size();
  return taken;
}

std::string_view ByteReader::take_text(std::uint64_t count, std::string_view what) {
  const std::span<const std::byte> bytes = take(count, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view ByteReader::take_line(std::size_t limit, std::string_view what) {
  const std::span<const std::byte> rest = bytes_.subspan(at_, std::min(remaining(), limit + 1));
  const auto newline = std::ranges::find(rest, std::byte{'\n'});
  if (newline == rest.end()) {
    fail(kind_, "{}: {} at byte {} has no end within {} bytes", source_, what, offset(), rest.size());
  }
  const std::string_view line = take_text(static_cast<std::uint64_t>(newline - rest.begin()), what);
  ++at_;
  return line;
}

}  // namespace wajah
