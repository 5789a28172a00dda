// Forms as routes see them: what counts as missing, what may not come twice, and where the bytes of files wait.
#include "server/form.hpp"

#include "server/text.hpp"
#include "test_server.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace wajah::server {
namespace {

constexpr Field fields[] = {
    {"nik", FieldKind::text, ""}, {"file", FieldKind::file, ""}, {"files", FieldKind::files, ""}};
constexpr std::string_view multipart = "multipart/form-data; boundary=B";
constexpr std::string_view urlencoded = "application/x-www-form-urlencoded";

struct Reading {
  explicit Reading(SpoolSpace::Limits limits = {}) : space(folder.path(), limits), form(space) {}

  std::optional<Fault> read(std::string_view content_type, std::string_view body) {
    const auto reader = make_form_reader(content_type, fields, form);
    if (auto fault = reader->push(body)) return fault;
    return reader->finish();
  }

  TemporaryFolder folder;
  SpoolSpace space;
  Form form;
};

std::string text_of(const FormFile& file) {
  return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}

std::string cause(std::string_view content_type, std::string_view body) {
  const auto fault = Reading().read(content_type, body);
  REQUIRE(fault.has_value());
  return fault->cause;
}

}  // namespace

TEST_CASE("texts and files reach their fields") {
  Reading reading;
  CHECK_FALSE(reading.read(multipart, part("nik", "1 2+3%41") + part("other", "x") + part("files", "AA", "a.jpg") +
                                          part("unknown", "ZZ", "z") + part("files", "", "b.jpg") +
                                          part("file", "CC", "c") + "--B--"));
  CHECK(*reading.form.text("nik") == "1 2+3%41");
  const auto files = reading.form.files("files");
  REQUIRE(files.size() == 2);
  CHECK(files[0].filename == "a.jpg");
  CHECK(text_of(files[0]) == "AA");
  CHECK(files[1].bytes.empty());
  CHECK(text_of(reading.form.files("file").at(0)) == "CC");
  for (const auto& field : fields) CHECK_FALSE(reading.form.lacks(field));
}

TEST_CASE("what counts as missing") {
  const auto lacks_all = [](std::string_view type, std::string_view body) {
    Reading reading;
    CHECK_FALSE(reading.read(type, body).has_value());
    for (const auto& field : fields) {
      if (!reading.form.lacks(field)) return false;
    }
    return true;
  };
  CHECK(lacks_all(multipart, "--B--"));
  CHECK(lacks_all(multipart, part("nik", "") + part("file", "", "a.jpg") + part("files", "", "") + "--B--"));
  CHECK(lacks_all(multipart, part("file", "text, not a file") + part("nik", "a file", "nik.txt") + "--B--"));
  CHECK(lacks_all(urlencoded, "nik=&file=x&files=y"));
  CHECK(lacks_all("application/json", R"({"nik":"1"})"));
  CHECK(lacks_all("", "nik=1"));
}

TEST_CASE("a single field may not come twice") {
  CHECK(cause(multipart, part("nik", "1") + part("nik", "1") + "--B--").find("nik is given twice") !=
        std::string::npos);
  CHECK(cause(multipart, part("file", "1", "a") + part("file", "1", "a") + "--B--").find("twice") != std::string::npos);
  CHECK(cause(urlencoded, "nik=1&nik=2").find("twice") != std::string::npos);
}

TEST_CASE("texts are UTF-8 of at most 4 KiB") {
  CHECK(cause(multipart, part("nik", std::string(4097, 'x')) + "--B--").ends_with("a text is too long"));
  CHECK(cause(multipart, part("unknown", std::string(50 << 20, 'x')) + "--B--").ends_with("a text is too long"));
  CHECK(cause(urlencoded, "nik=" + std::string(50 << 20, 'x')).ends_with("the form is too long"));
  CHECK(cause(multipart, part("nik", "\xc3\x28") + "--B--").ends_with("a text is not UTF-8"));
  CHECK(cause(urlencoded, "nik=%ED%A0%80").ends_with("a text is not UTF-8"));
  Reading reading;
  CHECK_FALSE(reading.read(multipart, part("nik", std::string(4096, 'x')) + "--B--").has_value());
}

TEST_CASE("file 101 of a field is refused before it is read") {
  std::string body;
  for (int i = 0; i < 100; ++i) body += part("files", "x", "a.jpg");
  Reading reading;
  CHECK_FALSE(reading.read(multipart, body + "--B--").has_value());
  CHECK(reading.form.files("files").size() == 100);

  Reading second;
  const auto fault = second.read(multipart, body + part("files", "x", "a.jpg"));
  REQUIRE(fault.has_value());
  CHECK(fault->kind == FaultKind::too_many_files);
}

TEST_CASE("urlencoded forms are decoded") {
  Reading reading;
  CHECK_FALSE(reading.read(urlencoded, "&x&nik=A+%42%2B%c3%a9&").has_value());
  CHECK(*reading.form.text("nik") == "A B+\xc3\xa9");
  CHECK(cause(urlencoded, "nik=%4").find("percent") != std::string::npos);
  CHECK(cause(urlencoded, "nik=%zz").find("percent") != std::string::npos);
}

TEST_CASE("a Content-Type that cannot be read is a broken body") {
  CHECK(cause("multipart/form-data", "x").find("no boundary") != std::string::npos);
  CHECK(cause("multipart/form-data; boundary=\"\"", "x").find("1 to 70") != std::string::npos);
  CHECK(cause("multipart/form-data; boundary=" + std::string(71, 'b'), "x").find("1 to 70") != std::string::npos);
  CHECK(cause("multipart/form-data; boundary=a; boundary=b", "x").find("cannot be read") != std::string::npos);
  Reading reading;
  CHECK_FALSE(
      reading.read("Multipart/Form-Data ; charset=utf-8; Boundary=\"B\"", part("nik", "1") + "--B--").has_value());
  CHECK(*reading.form.text("nik") == "1");
}

TEST_CASE("large files wait in a file without a name, and all space is given back") {
  TemporaryFolder folder;
  SpoolSpace space(folder.path(), {.memory_each = 100'000, .memory = 150'000, .disk = 1'000'000});
  const auto is_empty = [&] { return std::filesystem::is_empty(folder.path()); };
  std::string data(250'000, ' ');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 % 251);
  {
    Spool small(space), large(space), third(space);
    small.append(std::string_view(data).substr(0, 90'000));
    CHECK(space.memory_used() == 90'000);
    for (std::size_t i = 0; i < data.size(); i += 1000) large.append(std::string_view(data).substr(i, 1000));
    CHECK(space.disk_used() == data.size());
    CHECK(space.memory_used() == 90'000);
    CHECK(is_empty());
    const auto view = large.view();
    CHECK(std::string_view(reinterpret_cast<const char*>(view.data()), view.size()) == data);
    CHECK(small.view().size() == 90'000);

    // Memory for all is used up, so a small one goes to the disk as well.
    third.append(std::string_view(data).substr(0, 70'000));
    CHECK(space.memory_used() == 90'000);
    CHECK(space.disk_used() == data.size() + 70'000);
  }
  CHECK(space.memory_used() == 0);
  CHECK(space.disk_used() == 0);
}

TEST_CASE("a full disk and a missing folder are errors, not lost bytes") {
  TemporaryFolder folder;
  SpoolSpace space(folder.path(), {.memory_each = 10, .memory = 10, .disk = 100});
  {
    Spool spool(space);
    spool.append(std::string(90, 'x'));
    CHECK_THROWS_AS(spool.append(std::string(20, 'x')), Error);
  }
  CHECK(space.disk_used() == 0);
  SpoolSpace nowhere(folder.path() / "missing", {.memory_each = 10, .memory = 10, .disk = 100});
  Spool spool(nowhere);
  CHECK_THROWS_AS(spool.append(std::string(20, 'x')), Error);
}

TEST_CASE("texts of HTTP") {
  CHECK(percent_decode("%41%5a+") == "AZ+");
  CHECK(percent_decode("%41+", true) == "A ");
  CHECK_FALSE(percent_decode("%").has_value());
  CHECK_FALSE(percent_decode("a%1").has_value());
  CHECK(percent_encode("a b\r\n\xff,.~") == "a%20b%0D%0A%FF%2C.~");
  CHECK(is_token("Content-Length"));
  CHECK_FALSE(is_token("a b"));
  CHECK_FALSE(is_token(""));
  CHECK(trim(" \ta b\t ") == "a b");
  CHECK(trim(" \t").empty());
  CHECK(escape_html("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
}

}  // namespace wajah::server
