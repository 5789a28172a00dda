// Form: the fields of a request's body, and the readers that fill it while the body arrives.
#pragma once

#include "server/fault.hpp"
#include "server/multipart.hpp"
#include "server/spool.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

enum class FieldKind { text, file, files };

// What a route takes in its form; all texts are literals of the route table. `schema`: JSON Schema text of a text's
// value, which on /api/v1 is read as the type that it names.
struct Field {
  std::string_view name;
  FieldKind kind = FieldKind::text;
  std::string_view about;
  bool required = true;
  std::string_view schema = R"({"type":"string","minLength":1})";
  std::size_t most = 100;  // files of one field
};

struct FormLimits {
  std::size_t text_bytes = 4096;  // of one text
  MultipartLimits multipart;
};

struct FormFile {
  std::string filename;  // for messages only
  std::span<const std::byte> bytes;
};

class Form {
 public:
  explicit Form(SpoolSpace& space) : spool_(space) {}

  // The text of a field; null if it was not sent or is empty, which counts as missing.
  [[nodiscard]] const std::string* text(std::string_view name) const;

  // The files of a field that were chosen (a browser sends an empty one without a name for "nothing chosen"), in the
  // order sent; none if all of them are empty.
  [[nodiscard]] std::vector<FormFile> files(std::string_view name);

  // True if the field has to be reported as missing.
  [[nodiscard]] bool lacks(const Field& field);

  // The body of a request that is no form, as WholeReader took it.
  [[nodiscard]] std::span<const std::byte> whole() { return spool_.view(); }

  // Names of parts that no field has: the first few.
  [[nodiscard]] const std::vector<std::string>& strangers() const { return strangers_; }

 private:
  friend class FormCollector;
  friend class WholeReader;
  struct Text {
    std::string_view field;
    std::string value;
  };
  struct File {
    std::string_view field;
    std::string filename;
    std::size_t begin = 0, size = 0;  // in the spool
  };

  std::vector<Text> texts_;
  std::vector<File> files_;
  std::vector<std::string> strangers_;
  Spool spool_;
};

// Takes a body piece by piece. After a fault, call no more. Both may throw Error (storage).
class FormReader {
 public:
  virtual ~FormReader() = default;
  [[nodiscard]] virtual std::optional<Fault> push(std::string_view bytes) = 0;
  [[nodiscard]] virtual std::optional<Fault> finish() = 0;
};

// A reader for the body's Content-Type: multipart/form-data, application/x-www-form-urlencoded (text fields only); a
// body of any other type holds no field, as in the original service. Parts with other names than `fields` are read
// over. `form` and `fields` outlive the reader.
[[nodiscard]] std::unique_ptr<FormReader> make_form_reader(std::string_view content_type, std::span<const Field> fields,
                                                           Form& form, const FormLimits& limits = {});

// A reader for a body that is no form: JSON, or one picture, which then is the file of `field`.
[[nodiscard]] std::unique_ptr<FormReader> make_whole_reader(Form& form, std::string_view field = {});

}  // namespace wajah::server
