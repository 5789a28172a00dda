// Real photos through the whole server: enrol, recognise, a stranger, remove, start again.
#include "check.hpp"
#include "server/application.hpp"
#include "test_server.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace wajah::server {
namespace {

namespace json = boost::json;

struct Someone {
  const char *nik, *name, *folder;
};
constexpr std::array enrolled{Someone{"1001", "ABDULLAH GUL", "Abdullah_Gul"},
                              Someone{"1.0-0_2", "ADRIEN BRODY", "Adrien_Brody"},
                              Someone{"A3", "AL SHARPTON", "Al_Sharpton"}};
constexpr const char* stranger = "Alejandro_Toledo";

bool unpack(const std::filesystem::path& archive, const std::filesystem::path& folder) {
  std::string line = fmt::format("tar -xf '{}' -C '{}' lfw/{}", archive.string(), folder.string(), stranger);
  for (const auto& someone : enrolled) line += fmt::format(" lfw/{}", someone.folder);
  return std::system(line.c_str()) == 0;
}

std::string photo(const std::filesystem::path& folder, std::string_view name, int number) {
  std::ifstream file(folder / "lfw" / name / fmt::format("{}_{:04}.jpg", name, number), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

json::value recognise(std::uint16_t port, std::string_view nik, const std::string& picture) {
  const auto answer =
      ask_once(port, form("POST /recognize/", part("nik_input", nik) + part("file", picture, "photo.jpg")));
  CHECK(answer.status == 200);
  return json::parse(answer.body);
}

}  // namespace

TEST_CASE("people are enrolled, recognised, removed, and still known after a restart") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data folder");
    return;
  }
  TemporaryFolder folder;
  REQUIRE(unpack(*data / "lfw_train_dev.tar", folder.path()));
  ApplicationOptions options;
  options.http.listen.port = 0;
  options.http.drain_idle = Milliseconds(10);
  options.settings.storage.data = folder.path() / "data";
  options.mtcnn = *data / "mtcnn";
  options.embedder = *data / "mobilefacenet.onnx";
  options.log = false;
  {
    Application application(options);
    CHECK(ask_once(application.port(), get("/readyz")).body == R"({"status":"ready"})");
    CHECK(recognise(application.port(), "1001", photo(folder.path(), stranger, 1)).at("nik_matched") == false);
    for (const auto& someone : enrolled) {
      std::string parts = part("nik", someone.nik) + part("nama", someone.name);
      for (int i = 1; i <= 4; ++i) parts += part("files", photo(folder.path(), someone.folder, i), "photo.jpg");
      const auto answer = ask_once(application.port(), form("POST /upload", parts));
      CHECK(answer.status == 200);
      CHECK(answer.body ==
            fmt::format(R"({{"success":true,"message":"Successfully uploaded 4 images for NIK {}, Name {}"}})",
                        someone.nik, someone.name));
    }
    application.drain();
    CHECK(application.wait());
  }
  Application application(options);
  const auto port = application.port();
  CHECK(application.banner().find("3 people, 12 photos") != std::string::npos);
  for (const auto& someone : enrolled) {
    INFO(someone.name);
    const auto result = recognise(port, someone.nik, photo(folder.path(), someone.folder, 5));
    CHECK(result.at("nik_matched") == true);
    CHECK(result.at("message").as_string() == fmt::format("{} TERDETEKSI", someone.name));
  }
  const auto other = recognise(port, "1001", photo(folder.path(), stranger, 1));
  CHECK(other.at("nik_matched") == false);
  CHECK(other.at("message") == "Wajah Tidak Dikenali");
  CHECK(other.at("results").at(0).at("nik").is_null());

  const auto& gone = enrolled[2];
  const auto removal = ask_once(port, form("DELETE /hapus/", part("nik_hapus", gone.nik) + part("nama", gone.name)));
  CHECK(removal.status == 200);
  const auto after = recognise(port, gone.nik, photo(folder.path(), gone.folder, 5));
  CHECK(after.at("nik_matched") == false);

  const auto broken = ask_once(
      port, form("POST /upload/", part("nik", "9") + part("nama", "NOBODY") +
                                      part("files", photo(folder.path(), stranger, 1), "good.jpg") +
                                      part("files", photo(folder.path(), stranger, 2).substr(0, 3000), "cut.jpg")));
  CHECK(broken.status == 400);
  CHECK(broken.body.find("cut.jpg") != std::string::npos);
  CHECK(recognise(port, "9", photo(folder.path(), stranger, 1)).at("nik_matched") == false);
}

}  // namespace wajah::server
