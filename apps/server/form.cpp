#include "server/form.hpp"

#include "server/header_value.hpp"
#include "server/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wajah::server {

// Puts parts where the route's fields want them.
class FormCollector final : public PartSink {
 public:
  FormCollector(Form& form, std::span<const Field> fields, const FormLimits& limits)
      : form_(form), fields_(fields), limits_(limits) {}

  std::optional<Fault> begin(PartHead head) override {
    is_file_ = head.filename.has_value();
    field_ = find(head.name);
    size_ = 0;
    if (!field_) {
      constexpr std::size_t enough = 8;
      if (form_.strangers_.size() < enough) form_.strangers_.push_back(std::move(head.name));
      return std::nullopt;
    }
    // A text where a file belongs, or the other way round, is not that field; it will count as missing.
    if (is_file_ != (field_->kind != FieldKind::text)) {
      field_ = nullptr;
      return std::nullopt;
    }
    return is_file_ ? begin_file(std::move(*head.filename)) : begin_text();
  }

  std::optional<Fault> data(std::string_view bytes) override {
    size_ += bytes.size();
    if (!is_file_ && size_ > limits_.text_bytes) return Fault{FaultKind::body, "a text is too long"};
    if (!field_) return std::nullopt;
    if (is_file_) {
      form_.spool_.append(bytes);
      form_.files_.back().size = size_;
    } else {
      form_.texts_.back().value += bytes;
    }
    return std::nullopt;
  }

  std::optional<Fault> end() override {
    if (field_ && !is_file_ && !is_utf8(form_.texts_.back().value)) {
      return Fault{FaultKind::body, "a text is not UTF-8"};
    }
    return std::nullopt;
  }

 private:
  const Field* find(std::string_view name) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const Field& f) { return f.name == name; });
    return found == fields_.end() ? nullptr : &*found;
  }

  std::optional<Fault> begin_text() {
    const auto same = [&](const Form::Text& text) { return text.field == field_->name; };
    // Two programs would disagree on which of the two counts.
    if (std::any_of(form_.texts_.begin(), form_.texts_.end(), same)) return given_twice();
    form_.texts_.push_back({field_->name, {}});
    return std::nullopt;
  }

  std::optional<Fault> begin_file(std::string filename) {
    const auto before = std::count_if(form_.files_.begin(), form_.files_.end(),
                                      [&](const Form::File& file) { return file.field == field_->name; });
    if (field_->kind == FieldKind::file && before > 0) return given_twice();
    if (static_cast<std::size_t>(before) >= field_->most) {
      return Fault{FaultKind::too_many_files,
                   fmt::format("the field {} has more than the {} files it takes; send the others in another request",
                               field_->name, field_->most)};
    }
    form_.files_.push_back({field_->name, std::move(filename), form_.spool_.size(), 0});
    return std::nullopt;
  }

  Fault given_twice() const { return {FaultKind::body, "the field " + std::string(field_->name) + " is given twice"}; }

  Form& form_;
  std::span<const Field> fields_;
  FormLimits limits_;
  const Field* field_ = nullptr;  // of the part being read; null if nobody wants it
  bool is_file_ = false;
  std::size_t size_ = 0;
};

class WholeReader final : public FormReader {
 public:
  WholeReader(Form& form, std::string_view field) : form_(form), field_(field) {}
  std::optional<Fault> push(std::string_view bytes) override {
    form_.spool_.append(bytes);
    return std::nullopt;
  }
  std::optional<Fault> finish() override {
    if (!field_.empty()) form_.files_.push_back({field_, {}, 0, form_.spool_.size()});
    return std::nullopt;
  }

 private:
  Form& form_;
  std::string_view field_;
};

namespace {

class MultipartReader final : public FormReader {
 public:
  MultipartReader(std::string_view boundary, Form& form, std::span<const Field> fields, const FormLimits& limits)
      : collector_(form, fields, limits), parser_(boundary, collector_, limits.multipart) {}
  std::optional<Fault> push(std::string_view bytes) override { return parser_.push(bytes); }
  std::optional<Fault> finish() override { return parser_.finish(); }

 private:
  FormCollector collector_;
  MultipartParser parser_;
};

class UrlencodedReader final : public FormReader {
 public:
  UrlencodedReader(Form& form, std::span<const Field> fields, const FormLimits& limits)
      : collector_(form, fields, limits), most_(limits.text_bytes * 3 * (fields.size() + 1)) {}

  std::optional<Fault> push(std::string_view bytes) override {
    body_ += bytes;
    if (body_.size() > most_) return Fault{FaultKind::body, "the form is too long"};
    return std::nullopt;
  }

  std::optional<Fault> finish() override {
    std::string_view rest = body_;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('&'), rest.size());
      if (auto fault = take_pair(rest.substr(0, end))) return fault;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
  }

 private:
  std::optional<Fault> take_pair(std::string_view pair) {
    if (pair.empty()) return std::nullopt;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return Fault{FaultKind::body, "a percent sign is not followed by two hexadecimal digits"};
    if (auto fault = collector_.begin({std::move(*name), std::nullopt, {}})) return fault;
    if (auto fault = collector_.data(*value)) return fault;
    return collector_.end();
  }

  FormCollector collector_;
  std::size_t most_;
  std::string body_;
};

class NoFormReader final : public FormReader {
 public:
  std::optional<Fault> push(std::string_view) override { return std::nullopt; }
  std::optional<Fault> finish() override { return std::nullopt; }
};

class BrokenReader final : public FormReader {
 public:
  explicit BrokenReader(std::string cause) : fault_{FaultKind::body, std::move(cause)} {}
  std::optional<Fault> push(std::string_view) override { return fault_; }
  std::optional<Fault> finish() override { return fault_; }

 private:
  Fault fault_;
};

}  // namespace

const std::string* Form::text(std::string_view name) const {
  for (const auto& text : texts_) {
    if (text.field == name && !text.value.empty()) return &text.value;
  }
  return nullptr;
}

std::vector<FormFile> Form::files(std::string_view name) {
  std::vector<FormFile> result;
  bool any_bytes = false;
  const auto all = spool_.view();
  for (const auto& file : files_) {
    if (file.field != name || (file.size == 0 && file.filename.empty())) continue;
    any_bytes |= file.size > 0;
    result.push_back({file.filename, all.subspan(file.begin, file.size)});
  }
  if (!any_bytes) result.clear();
  return result;
}

bool Form::lacks(const Field& field) {
  return field.kind == FieldKind::text ? text(field.name) == nullptr : files(field.name).empty();
}

std::unique_ptr<FormReader> make_form_reader(std::string_view content_type, std::span<const Field> fields, Form& form,
                                             const FormLimits& limits) {
  const auto type = parse_header_value(content_type);
  if (!type) return std::make_unique<BrokenReader>("the Content-Type cannot be read");
  if (type->value == "application/x-www-form-urlencoded") {
    return std::make_unique<UrlencodedReader>(form, fields, limits);
  }
  if (type->value != "multipart/form-data") return std::make_unique<NoFormReader>();
  const auto* boundary = type->find("boundary");
  if (!boundary) return std::make_unique<BrokenReader>("the Content-Type has no boundary");
  if (!valid_boundary(*boundary)) return std::make_unique<BrokenReader>("the boundary is not 1 to 70 plain characters");
  return std::make_unique<MultipartReader>(*boundary, form, fields, limits);
}

std::unique_ptr<FormReader> make_whole_reader(Form& form, std::string_view field) {
  return std::make_unique<WholeReader>(form, field);
}

}  // namespace wajah::server
