#include "attendance/photo_file.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>

namespace wajah::attendance {

std::vector<std::byte> read_photo(const std::filesystem::path& file) {
  const MappedFile mapped(file, ErrorKind::input);
  if (mapped.bytes().size() > DecodeLimits{}.max_bytes) {
    fail(ErrorKind::input, "{}: {} bytes, a picture may have {}", mapped.name(), mapped.bytes().size(),
         DecodeLimits{}.max_bytes);
  }
  return {mapped.bytes().begin(), mapped.bytes().end()};
}

}  // namespace wajah::attendance
