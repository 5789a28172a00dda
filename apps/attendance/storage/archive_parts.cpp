#include "attendance/storage/archive_parts.hpp"

#include <wajah/error.hpp>

#include <fmt/ranges.h>
#include <sodium.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace wajah::attendance {
namespace {

namespace json = boost::json;

constexpr int alphabet = sodium_base64_VARIANT_ORIGINAL;

}  // namespace

// Written out rather than asked of the database: what leaves a folder is a decision.
std::span<const ArchivePart> archive_parts() {
  static constexpr std::array parts{
      ArchivePart{"people", "person", "SELECT * FROM person ORDER BY id", 1},
      ArchivePart{"photos", "photo", "SELECT * FROM photo ORDER BY id", 1},
      ArchivePart{"embeddings", "embedding",
                  "SELECT embedding.*, photo.person FROM embedding JOIN photo ON photo.id = embedding.photo "
                  "ORDER BY photo, model",
                  1},
      ArchivePart{"pictures", "picture",
                  "SELECT picture.*, photo.person FROM picture JOIN photo ON photo.id = picture.photo ORDER BY photo",
                  1},
      ArchivePart{"attendance", "attendance", "SELECT * FROM attendance ORDER BY id", 1},
      ArchivePart{"audit", "audit", "SELECT * FROM audit ORDER BY id", 5},
      ArchivePart{"settings", "setting", "SELECT * FROM setting WHERE name <> 'template_key' ORDER BY name", 6},
      ArchivePart{"consents", "consent", "SELECT * FROM consent ORDER BY id", 6},
      ArchivePart{"sites", "site", "SELECT * FROM site ORDER BY id", 8},
      ArchivePart{"shifts", "shift", "SELECT * FROM shift ORDER BY id", 8},
      ArchivePart{"shift_hours", "shift_hours", "SELECT * FROM shift_hours ORDER BY shift, weekday", 8},
      ArchivePart{"assignments", "assignment", "SELECT * FROM assignment ORDER BY id", 8},
      ArchivePart{"holidays", "holiday", "SELECT * FROM holiday ORDER BY id", 8},
      ArchivePart{"placements", "placement", "SELECT * FROM placement ORDER BY person, from_date", 8},
      ArchivePart{"events", "event", "SELECT * FROM event ORDER BY id", 8},
  };
  return parts;
}

json::object json_of(std::span<const std::byte> bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), alphabet), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    alphabet);
  text.pop_back();  // the terminating zero
  return {{"base64", text}};
}

std::vector<std::byte> bytes_in(const json::value& value) {
  const auto* object = value.if_object();
  const auto* member = object ? object->if_contains("base64") : nullptr;
  const auto* text = member ? member->if_string() : nullptr;
  if (!text) fail(ErrorKind::input, "a value is no bytes in base64");
  std::vector<std::byte> bytes(text->size());
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text->data(), text->size(),
                        nullptr, &size, nullptr, alphabet) != 0) {
    fail(ErrorKind::input, "a value is no base64");
  }
  bytes.resize(size);
  return bytes;
}

json::object json_of(const sqlite::Statement& row) {
  using Type = sqlite::Statement::Type;
  json::object object;
  for (int column = 0; column < row.columns(); ++column) {
    json::value& value = object[row.name(column)];
    switch (row.type(column)) {
      case Type::integer: value = row.integer(column); break;
      case Type::real: value = row.real(column); break;
      case Type::text: value = row.text(column); break;
      case Type::blob: value = json_of(row.blob(column)); break;
      case Type::null: break;
    }
  }
  return object;
}

RowWriter::RowWriter(sqlite::Connection& writer, const ArchivePart& part) : writer_(writer), part_(part.name) {
  auto query = writer.prepare("SELECT name FROM pragma_table_info(?1)");
  query.bind(std::string_view(part.table));
  std::vector<std::string> places;
  while (query.step()) {
    columns_.push_back(query.text(0));
    places.push_back(fmt::format("?{}", columns_.size()));
  }
  sql_ = fmt::format("INSERT OR REPLACE INTO {} ({}) VALUES ({})", part.table, fmt::join(columns_, ", "),
                     fmt::join(places, ", "));
}

void RowWriter::bind(sqlite::Statement& statement, int index, const json::value& value) const {
  switch (value.kind()) {
    case json::kind::null: return statement.bind_at(index, std::nullopt);
    case json::kind::int64: return statement.bind_at(index, value.get_int64());
    case json::kind::double_: return statement.bind_at(index, value.get_double());
    case json::kind::string: return statement.bind_at(index, std::string_view(value.get_string()));
    default: fail(ErrorKind::input, "{}: a value is neither a number, a text, bytes nor null", part_);
  }
}

void RowWriter::write(json::object row) {
  std::vector<std::vector<std::byte>> blobs;
  blobs.reserve(columns_.size());  // statements point into them
  auto statement = writer_.prepare(sql_.c_str());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const int index = static_cast<int>(i) + 1;
    const json::value* value = row.if_contains(columns_[i]);
    if (!value) {
      statement.bind_at(index, std::nullopt);
    } else if (value->is_object()) {
      statement.bind_at(index, sqlite::Blob(blobs.emplace_back(bytes_in(*value))));
    } else {
      bind(statement, index, *value);
    }
  }
  statement.run();
}

}  // namespace wajah::attendance
