// A service that embeds on a card, for which the host stands in, and what it does when the card is lost.
#ifdef WAJAH_CUDA_HOST
#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "server/application.hpp"
#include "test_server.hpp"

#include <wajah/embed/align.hpp>
#include <wajah/embed/cuda_embedder.hpp>
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include <boost/json/parse.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

namespace wajah::server {
namespace {

namespace json = boost::json;

std::atomic<bool> lost, silent, wrong;
std::atomic<int> launches;
std::atomic<std::int64_t> seconds;  // of the clock that a card rests by

const CudaDriver& driver() {
  static const CudaDriver breakable = [] {
    CudaDriver changed = host_driver();
    changed.launch_graph = [](void* graph, void* stream) {
      return ++launches, host_driver().launch_graph(graph, stream);
    };
    changed.query = [](void* stream, bool* done) {
      const int error = lost ? 1 : host_driver().query(stream, done);
      if (silent) *done = false;
      return error;
    };
    changed.copy = [](void* to, const void* from, std::size_t bytes, CopyDirection direction, void* stream) {
      const int error = host_driver().copy(to, from, bytes, direction, stream);
      if (wrong && direction == CopyDirection::from_card) std::memset(to, 0xFF, 4);
      return error;
    };
    return changed;
  }();
  return breakable;
}

ApplicationOptions options_for(const std::filesystem::path& data, const TemporaryFolder& folder) {
  ApplicationOptions options;
  options.http.listen.port = 0;
  options.http.drain_idle = Milliseconds(10);
  options.http.recognise_deadline = Milliseconds(60'000);  // the host is a slow card
  options.settings.storage.data = folder.path() / "data";
  options.mtcnn = data / "mtcnn";
  options.embedder = data / "mobilefacenet.onnx";
  options.settings.pipeline.strictness = "off";
  options.settings.pipeline.enrol_min_face = options.settings.pipeline.recognise_min_face = 24;
  options.cpu = Cpu(2);
  options.log = false;
  // Detection on the host's stand-in takes longer than a client waits; tests/cuda_host/detector.cpp has small pictures.
  const auto load = [cpu = options.cpu](const Weights& mtcnn, const Weights& embedder) {
    const EmulatedCuda card(Arithmetic::fp32, driver(), std::chrono::milliseconds(500));
    return Models{load_detector(mtcnn, cpu), load_cuda_embedder(embedder, card)};
  };
  options.card = {"the host's card", load, true, [] { return CardWatch::Time(std::chrono::seconds(seconds.load())); }};
  lost = silent = wrong = false;
  launches = 0;
  return options;
}

// A photo small enough for a card that is none.
std::string small_photo(const std::filesystem::path& file) {
  const Image photo = read_image(file);
  const Affine to_photo = Affine::similarity(photo.width / 120.0, 0, 0, 0);
  const auto bytes = encode_jpeg(warp(photo, to_photo, 120, photo.height * 120 / photo.width));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A card that the host imitates takes seconds for a picture, and more beside other tests.
constexpr std::chrono::seconds for_the_host{60};

json::value recognise(std::uint16_t port, const std::string& picture) {
  const auto answer =
      ask_once(port, form("POST /recognize/", part("nik_input", "7") + part("file", picture, "a.jpg")), for_the_host);
  REQUIRE(answer.status == 200);
  return json::parse(answer.body);
}

// From the failure of a card that has computed nothing to the answer the service has five seconds.
void check_recognised_in_time(std::uint16_t port, const std::string& picture) {
  const auto begun = std::chrono::steady_clock::now();
  CHECK(recognise(port, picture).at("nik_matched") == true);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}

void enrol(std::uint16_t port, const std::string& photo) {
  const auto upload =
      ask_once(port, form("POST /upload", part("nik", "7") + part("nama", "SOMEONE") + part("files", photo, "a.jpg")),
               for_the_host);
  REQUIRE(upload.status == 200);
}

std::string device_of(std::uint16_t port) {
  const auto answer = json::parse(ask_once(port, get("/version")).body);
  return std::string(answer.at("device").as_string());
}

std::string readiness(std::uint16_t port) { return ask_once(port, get("/readyz")).body; }

}  // namespace

TEST_CASE("a service whose card is lost answers from the CPU, says so, and takes the card again at the next start") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data folder");
    return;
  }
  TemporaryFolder folder;
  const ApplicationOptions options = options_for(*data, folder);
  const std::string photo = small_photo(*data / "photos" / "phone_720x1080.jpg");
  {
    Application application(options);
    CHECK(application.banner().find("the host's card, 2 threads\n") != std::string::npos);
    CHECK(readiness(application.port()) == R"({"status":"ready"})");
    CHECK(device_of(application.port()) == "the host's card");
    launches = 0;
    enrol(application.port(), photo);
    CHECK(launches > 0);
    lost = true;
    check_recognised_in_time(application.port(), photo);  // enrolled on the card, found on the CPU
    CHECK(device_of(application.port()).starts_with("cpu/"));
    CHECK(application.banner().find("device   cpu/") != std::string::npos);
    const std::string degraded = readiness(application.port());
    CHECK(degraded.starts_with(R"({"status":"ready","degraded":["the card failed, everything is computed on the CPU)"));
    CHECK(degraded.find("cudaStreamQuery on card 0") != std::string::npos);
    lost = false;
    launches = 0;
    CHECK(recognise(application.port(), photo).at("nik_matched") == true);
    seconds += 3600;
    CHECK(recognise(application.port(), photo).at("nik_matched") == true);
    CHECK(launches == 0);  // a process whose CUDA has failed does not trust it again
    application.drain();
    CHECK(application.wait());
  }
  Application again(options);
  CHECK(readiness(again.port()) == R"({"status":"ready"})");
  launches = 0;
  CHECK(recognise(again.port(), photo).at("nik_matched") == true);
  CHECK(launches > 0);
}

TEST_CASE("a service whose card never answers again has given it up before its client has") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data folder");
    return;
  }
  TemporaryFolder folder;
  const ApplicationOptions options = options_for(*data, folder);
  const std::string photo = small_photo(*data / "photos" / "phone_720x1080.jpg");
  Application application(options);
  enrol(application.port(), photo);
  silent = true;
  check_recognised_in_time(application.port(), photo);
  CHECK(readiness(application.port()).find("the card has not answered for 0.5 s") != std::string::npos);
  application.drain();
  CHECK(application.wait());
}

TEST_CASE("a service whose card gave nonsense takes it again after a pause, when a picture has tried it") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data folder");
    return;
  }
  TemporaryFolder folder;
  const ApplicationOptions options = options_for(*data, folder);
  const std::string photo = small_photo(*data / "photos" / "phone_720x1080.jpg");
  Application application(options);
  enrol(application.port(), photo);
  wrong = true;
  CHECK(recognise(application.port(), photo).at("nik_matched") == true);
  wrong = false;
  CHECK(readiness(application.port()).find("until one picture tries it after 30 s: the card computed an embedding") !=
        std::string::npos);
  CHECK(device_of(application.port()).starts_with("cpu/"));
  launches = 0;
  CHECK(recognise(application.port(), photo).at("nik_matched") == true);
  CHECK(launches == 0);
  seconds += 30;
  CHECK(recognise(application.port(), photo).at("nik_matched") == true);
  CHECK(launches > 0);
  CHECK(readiness(application.port()) == R"({"status":"ready"})");
  CHECK(device_of(application.port()) == "the host's card");
}

TEST_CASE("a card that fails at the start is an error if it was asked for, and otherwise a reason to take the CPU") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data folder");
    return;
  }
  TemporaryFolder folder;
  ApplicationOptions options = options_for(*data, folder);
  lost = true;
  try {
    const Application application(options);
    FAIL("the server started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::device);
  }
  options.card->required = false;
  Application application(options);
  CHECK(application.banner().find("2 threads (auto: cudaStreamQuery on card 0") != std::string::npos);
  CHECK(application.banner().find("device   cpu/") != std::string::npos);
  CHECK(readiness(application.port()) == R"({"status":"ready"})");
  lost = false;
}

}  // namespace wajah::server
#endif
