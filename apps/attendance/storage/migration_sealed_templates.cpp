#include "attendance/storage/migrations.hpp"
#include "attendance/stored_vector.hpp"

#include <cstdint>
#include <vector>

namespace wajah::attendance::migration {
namespace {

void add_checksums_of_pictures(sqlite::Connection& writer) {
  std::vector<std::int64_t> photos;
  {
    auto query = writer.prepare("SELECT photo FROM picture");
    while (query.step()) photos.push_back(query.integer(0));
  }
  for (const std::int64_t photo : photos) {
    Checksum checksum{};
    {
      auto query = writer.prepare("SELECT bytes FROM picture WHERE photo = ?1");
      query.bind(photo);
      if (query.step()) checksum = checksum_of(photo, picture_kind, query.blob(0));
    }
    writer.prepare("UPDATE picture SET checksum = ?2 WHERE photo = ?1").bind(photo, sqlite::Blob(checksum)).run();
  }
}

}  // namespace

// `key` names the key a row's bytes are sealed with; NULL: they lie open. The checksum covers the bytes as they lie.
void sealed_templates(sqlite::Connection& writer) {
  writer.execute(R"(
    ALTER TABLE embedding ADD COLUMN key TEXT;
    ALTER TABLE picture ADD COLUMN key TEXT;
    ALTER TABLE picture ADD COLUMN checksum BLOB NOT NULL DEFAULT x'')");
  add_checksums_of_pictures(writer);
}

}  // namespace wajah::attendance::migration
