// Service: the rules of attendance, over real SQLite and fake networks.
#include "attendance/service.hpp"

#include "service_calls.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <future>
#include <sstream>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

TEST_CASE("whoever is uploaded is recognised, whoever is removed is not") {
  Site site;
  Service& service = site.start();
  const auto uploaded = upload(service, "12345", "DENNIS", {photo("DENNIS:1"), photo("DENNIS:2")});
  CHECK(uploaded.stored == 2);
  CHECK(uploaded.person.nik == "12345");
  CHECK(uploaded.skipped.empty());
  CHECK_FALSE(uploaded.former_name);
  upload(service, "54321", "SARI", {photo("SARI:1")});

  const auto result = recognise(service, "12345", "DENNIS:3");
  REQUIRE(result.results.size() == 1);
  CHECK(result.results[0].nik == "12345");
  CHECK(result.results[0].name == "DENNIS");
  CHECK(result.results[0].accuracy >= 0.7);
  CHECK(result.results[0].similarity == result.results[0].accuracy);
  CHECK(result.results[0].box == Box{0, 10, 40, 60});
  CHECK(result.nik_input == "12345");
  CHECK(result.nik_matched);
  CHECK(result.face_num == 1);
  CHECK(result.message == "DENNIS TERDETEKSI");

  const auto removed = service.remove("12345", "DENNIS");
  CHECK(removed.person.name == "DENNIS");
  CHECK(removed.photos == 2);
  CHECK(removed.trained);
  const auto after = recognise(service, "12345", "DENNIS:3");
  CHECK_FALSE(after.nik_matched);
  CHECK_FALSE(after.results.at(0).nik);
  CHECK(service.people().size() == 1);
}

TEST_CASE("what a claim becomes") {
  Site site;
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI:1")});
  upload(service, "2", "BUDI", {photo("BUDI:1")});
  struct Row {
    const char *nik, *picture;
    std::vector<std::string> niks;
    bool matched;
  };
  for (const Row& row :
       {Row{"1", "ANI:2", {"1"}, true}, Row{"2", "ANI:2", {"1"}, false},  // somebody else
        Row{"1", "STRANGER", {"-"}, false},                               // nobody
        Row{"1", "none", {}, false},                                      // no face
        Row{"1", "ANI:2 BUDI:2", {"1", "2"}, false},                      // with company: never
        Row{"1", "ANI:2 STRANGER", {"1", "-"}, false}, Row{"1", "ANI:2 ANI:3", {"1", "1"}, false},
        Row{"", "ANI:2", {"1"}, false}, Row{"01", "ANI:2", {"1"}, false}, Row{"1 ", "ANI:2", {"1"}, false},
        Row{"../1", "ANI:2", {"1"}, false}, Row{"\xFF\n", "ANI:2", {"1"}, false}}) {
    CAPTURE(row.nik);
    CAPTURE(row.picture);
    const auto result = recognise(service, row.nik, row.picture);
    CHECK(result.nik_matched == row.matched);
    CHECK(result.nik_input == row.nik);
    CHECK(result.message == (row.matched ? "ANI TERDETEKSI" : "Wajah Tidak Dikenali"));
    CHECK(result.face_num == row.niks.size());
    REQUIRE(result.results.size() == row.niks.size());
    for (std::size_t i = 0; i < row.niks.size(); ++i) {
      CHECK(result.results[i].nik.value_or("-") == row.niks[i]);
      CHECK((result.results[i].name == "Unknown") == (row.niks[i] == "-"));
      CHECK(result.results[i].person.has_value() == result.results[i].nik.has_value());
    }
  }
}

TEST_CASE("a face counts as somebody from the accepted confidence on, and its accuracy is told below it, too") {
  Site site;
  double confidence = 0;
  struct Fixed final : Classifier {
    explicit Fixed(const double& value) : confidence(value) {}
    [[nodiscard]] Prediction predict(std::span<const float>) const override { return {1, confidence, 0.5, 0.25}; }
    [[nodiscard]] Prediction verify(std::int64_t, std::span<const float>) const override { return {}; }
    [[nodiscard]] std::size_t people() const override { return 1; }
    const double& confidence;
  };
  site.options.train = [&](auto, const auto&) { return std::make_shared<const Fixed>(confidence); };
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI")});
  for (const double value : {0.0, 0.5, 0.6999999, 0.7, 0.70000001, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    confidence = value;
    const auto result = recognise(service, "1", "ANI");
    CHECK(result.nik_matched == (value >= 0.7));
    CHECK(result.results[0].nik.has_value() == (value >= 0.7));
    CHECK((std::isnan(value) || result.results[0].accuracy == value));
    CHECK(result.results[0].margin == 0.25);
  }
}

TEST_CASE("with nobody enrolled everybody is unknown, and the first person alone is recognised") {
  Site site;
  Service& service = site.start();
  const auto nobody = recognise(service, "1", "ANI");
  CHECK(nobody.results.at(0).name == "Unknown");
  CHECK(nobody.results.at(0).accuracy == 0);
  upload(service, "1", "ANI", {photo("ANI")});
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
  CHECK_FALSE(recognise(service, "1", "STRANGER").nik_matched);
}

TEST_CASE("uploads that are refused, and why; nothing is stored") {
  Site site;
  site.options.max_files = 3;
  Service& service = site.start();
  struct Row {
    const char *nik, *name;
    std::vector<File> files;
    Cause cause;
    const char* told;
  };
  const auto fine = photo("ANI");
  for (const Row& row :
       {Row{"1", "ANI", {}, Cause::no_files, "1 to 3"},
        Row{"1", "ANI", {4, fine}, Cause::too_many_files, "Maximum 3 images are allowed"},
        Row{"1", "Ani", {fine}, Cause::name_not_upper, "Nama must be in capital letters"},
        Row{"1", "123", {fine}, Cause::name_not_upper, "Nama must be in capital letters"},
        Row{"1", "", {fine}, Cause::bad_name, "empty"}, Row{"1", "ANI\nX", {fine}, Cause::bad_name, "U+000A"},
        Row{"1", "A\xFF", {fine}, Cause::bad_name, "UTF-8"}, Row{"", "ANI", {fine}, Cause::bad_nik, "NIK"},
        Row{"..", "ANI", {fine}, Cause::bad_nik, "NIK"}, Row{"../../etc", "ANI", {fine}, Cause::bad_nik, "NIK"},
        Row{"1/2", "ANI", {fine}, Cause::bad_nik, "NIK"},
        Row{"1", "ANI", {fine, photo("broken"), fine}, Cause::undecodable, "broken.jpg: picture: not a"},
        Row{"1", "ANI", {fine, photo("")}, Cause::undecodable, ".jpg"},
        Row{"1",
            "ANI",
            {photo("none"), photo("none x")},
            Cause::no_face,
            "none.jpg: no face was found; none x.jpg: no face was found"}}) {
    CAPTURE(row.nik);
    CAPTURE(row.name);
    CHECK(Site::cause_of([&] { service.upload(row.nik, row.name, row.files); }) == row.cause);
    const auto text = refusal_text([&] { service.upload(row.nik, row.name, row.files); });
    CHECK_MESSAGE(has(text, row.told), text);
    CHECK(service.people().empty());
  }
}

TEST_CASE("a file name is shown safely, and a file without one by its place") {
  Site site;
  Service& service = site.start();
  const std::vector<File> files = {{"../x\n\x1B[2J" + std::string(500, 'x'), picture("broken")}};
  const auto text = refusal_text([&] { service.upload("1", "ANI", files); });
  CHECK(has(text, "../x\\x0a\\x1b[2Jxxx"));
  CHECK(text.size() < 250);
  const std::vector<File> nameless = {photo("ANI"), {"", picture("broken")}};
  CHECK(has(refusal_text([&] { service.upload("1", "ANI", nameless); }), "file 2: "));
}

TEST_CASE("many photos without a face are told in short") {
  Site site;
  Service& service = site.start();
  std::vector<std::string> names;
  std::vector<File> files;
  for (int i = 0; i < 20; ++i) names.push_back("none " + std::to_string(i));
  for (const auto& name : names) files.push_back(photo(name));
  const auto text = refusal_text([&] { service.upload("1", "ANI", files); });
  CHECK(has(text, "none 4.jpg"));
  CHECK_FALSE(has(text, "none 5.jpg"));
  CHECK(has(text, "and 15 more"));
}

TEST_CASE("photos without a face are skipped and named") {
  Site site;
  Service& service = site.start();
  const auto result = upload(service, "1", "ANI", {photo("none"), photo("ANI:1"), photo("none 2")});
  CHECK(result.stored == 1);
  REQUIRE(result.skipped.size() == 2);
  CHECK(result.skipped[0].filename == "none.jpg");
  CHECK(result.skipped[1].reason == "no face was found");
  CHECK(service.people().at(0).photos == 1);
}

TEST_CASE("photos the person has already count as stored, and only new ones are embedded") {
  std::atomic<int> analysed{0};
  Site site({.analysed = &analysed});
  Service& service = site.start();
  CHECK(upload(service, "1", "ANI", {photo("ANI:1"), photo("ANI:2"), photo("ANI:1")}).stored == 2);
  CHECK(analysed == 2);
  CHECK(service.people().at(0).photos == 2);
  CHECK(upload(service, "1", "ANI", {photo("ANI:1"), photo("ANI:3"), photo("none")}).stored == 2);
  CHECK(analysed == 4);
  CHECK(service.people().at(0).photos == 3);
  CHECK(upload(service, "1", "ANI", {photo("ANI:1")}).stored == 1);
  CHECK(analysed == 4);
  CHECK(upload(service, "2", "BUDI", {photo("ANI:1")}).stored == 1);  // another person's photo is another matter
  CHECK(analysed == 5);
}

TEST_CASE("one NIK is one person: a new name renames") {
  Site site;
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI:1")});
  const auto renamed = upload(service, "1", "ANI SURYANI", {photo("ANI:1")});
  CHECK(renamed.former_name == "ANI");
  CHECK(service.people().size() == 1);
  CHECK(recognise(service, "1", "ANI:2").message == "ANI SURYANI TERDETEKSI");
}

TEST_CASE("an enrolled person without a usable photo shifts nobody's label") {
  Site site;
  Service& service = site.start();
  upload(service, "2", "BUDI", {photo("BUDI:1")});
  CHECK(Site::cause_of([&] { upload(service, "1", "ANI", {photo("none")}); }) == Cause::no_face);
  upload(service, "3", "CITRA", {photo("CITRA:1")});
  service.remove("2", "BUDI");
  upload(service, "4", "DEWI", {photo("DEWI:1")});
  CHECK(recognise(service, "3", "CITRA:2").nik_matched);
  CHECK(recognise(service, "4", "DEWI:2").nik_matched);
}

TEST_CASE("only NIK and name together remove a person") {
  Site site;
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI:1")});
  for (const auto& [nik, name] : std::vector<std::pair<std::string, std::string>>{{"1", "BUDI"},
                                                                                  {"1", "ani"},
                                                                                  {"1", ""},
                                                                                  {"2", "ANI"},
                                                                                  {"..", "ANI"},
                                                                                  {".", ""},
                                                                                  {"/", "ANI"},
                                                                                  {"", ""},
                                                                                  {"%", "%"}}) {
    CHECK(Site::cause_of([&] { service.remove(nik, name); }) == Cause::unknown_person);
  }
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
  CHECK(service.remove("1", "ANI").photos == 1);
  CHECK(Site::cause_of([&] { service.remove("1", "ANI"); }) == Cause::unknown_person);
}

TEST_CASE("every recognition is one row and one line") {
  Site site;
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI:1")});
  const auto matched = recognise(service, "1", "ANI:2");
  ++site.seconds;
  recognise(service, "2", "ANI:2");
  recognise(service, "1\nforged", "none");
  recognise(service, "1", "ANI:2 BUDI");
  CHECK_THROWS_AS(recognise(service, "1", "broken"), Refusal);

  CHECK(site.log_lines() ==
        std::vector<std::string>{
            fmt::format("07:58:11 - NIK: 1, Name: ANI, Accuracy: {}, Matched: True", matched.results[0].accuracy),
            "07:58:12 - NIK: 2, Name: Unknown, Accuracy: 0.0, Matched: False",
            "07:58:12 - NIK: 1\\x0aforged, Name: Unknown, Accuracy: 0.0, Matched: False",
            "07:58:12 - NIK: 1, Name: Unknown, Accuracy: 0.0, Matched: False"});
  const auto rows = site.rows();
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].person->name == "ANI");
  CHECK(rows[0].matched);
  CHECK(rows[0].accuracy == matched.results[0].accuracy);
  CHECK(rows[0].at == Time(std::chrono::seconds(site.seconds - 1)));
  CHECK_FALSE(rows[1].matched);
  CHECK(rows[1].claimed_nik == "2");
  CHECK(rows[2].claimed_nik == "1\\x0aforged");
  CHECK(rows[2].faces == 0);
  CHECK(rows[3].faces == 2);
}

TEST_CASE("a log that cannot be written costs a warning, not the recognition") {
  Site site;
  Service& service = site.start();
  std::ofstream(site.options.log_folder) << "a file where the folder should be";
  CHECK(recognise(service, "1", "ANI").results.size() == 1);
  CHECK(site.rows().size() == 1);
  REQUIRE(site.warnings().size() == 1);
  CHECK(has(site.warnings()[0], "logging"));
}

TEST_CASE("a fault of the engine is passed on as it is, and nothing is stored") {
  Site site;
  Service& service = site.start();
  try {
    upload(service, "1", "ANI", {photo("ANI"), photo("fault")});
    FAIL("accepted");
  } catch (const Refusal&) {
    FAIL("taken for the sender's affair");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::device);
  }
  CHECK(service.people().empty());
  CHECK_THROWS_AS(recognise(service, "1", "fault"), Error);
  CHECK(site.rows().empty());
}

TEST_CASE("a full engine and a passed deadline are refusals, and nothing is recorded") {
  Gate gate;
  Site site({.gate = &gate}, 1);
  site.engine_options = {.recognise_queue = 1, .enrol_queue = 1};
  site.options.recognise_deadline = 100ms;
  site.options.upload_deadline = 100ms;
  Service& service = site.start();
  gate.close();
  // Past the service, whose deadline is for those who wait behind it.
  auto running = std::async(std::launch::async, [&] {
    const auto ani = picture("ANI");
    return site.engine->analyse({&ani, 1}, Purpose::recognise, std::chrono::steady_clock::now() + 60s);
  });
  REQUIRE(gate.reached_by(1));
  CHECK(Site::cause_of([&] { upload(service, "1", "ANI", {photo("ANI"), photo("ANI:2")}); }) == Cause::busy);
  CHECK(Site::cause_of([&] { upload(service, "1", "ANI", {photo("ANI")}); }) == Cause::late);
  CHECK(Site::cause_of([&] { recognise(service, "1", "ANI"); }) == Cause::late);
  CHECK(site.rows().empty());
  CHECK(service.people().empty());
  gate.open();
  CHECK(running.get().analyses.size() == 1);
}

TEST_CASE("everything is there again after a restart") {
  Site site;
  upload(site.start(), "1", "ANI", {photo("ANI:1")});
  site.stop();
  Service& service = site.start();
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
  CHECK(service.status().counts.people == 1);
  CHECK(service.status().model == "fake-1");
  CHECK(site.warnings().empty());
}

TEST_CASE("options out of range are refused") {
  for (const double accept : {0.0, -1.0, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    Site site;
    site.options.accept = accept;
    CHECK_THROWS_AS(site.start(), Error);
  }
  Site site;
  site.options.zone = "Asia/Nowhere";
  CHECK_THROWS_AS(site.start(), Error);
}
