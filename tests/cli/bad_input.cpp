// Files that are not what they should be: an exact status, one sentence, and nothing written.
#include "cli/inputs.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

using namespace wajah::test;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Runs a line that must fail so, and leave the folder as it was.
std::string refused(const Workplace& place, int status, const std::vector<std::string>& line) {
  const auto before = place.files();
  const Outcome outcome = place.run(line);
  CAPTURE(outcome.err);
  CHECK(outcome.status == status);
  CHECK(outcome.one_sentence());
  CHECK(place.files() == before);
  return outcome.err;
}

// A TCP port of the loopback interface that somebody listens on, until this goes away.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { ::close(socket_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  TakenPort(TakenPort&&) = delete;
  TakenPort& operator=(TakenPort&&) = delete;

  [[nodiscard]] std::string text() const { return std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace

TEST_CASE("what is no picture") {
  const Workplace place;
  write_random_mtcnn(place);
  const std::string jpeg = drawn_jpeg();
  place.write("text.jpg", "This is a text, whatever its name says.\n");
  place.write("cut.jpg", jpeg.substr(0, jpeg.size() / 2));
  place.write("empty.jpg", "");
  place.write("huge.png", png_header(40'000, 40'000));
  place.write("folder.jpg/file", "");
  for (const std::string name : {"text.jpg", "cut.jpg", "empty.jpg", "huge.png", "folder.jpg", "absent.jpg"}) {
    CAPTURE(name);
    const std::string sentence =
        refused(place, 3, {"detect", "--mtcnn", "mtcnn.safetensors", "--draw", "drawn.jpg", name});
    CHECK(sentence.starts_with("wajah detect: "));
    CHECK(contains(sentence, name));
  }
  CHECK(contains(refused(place, 3, {"detect", "--mtcnn", "mtcnn.safetensors", "huge.png"}), "40000"));
}

TEST_CASE("a bad picture among good ones keeps nobody waiting") {
  const Workplace place;
  write_random_mtcnn(place);
  place.write("good.jpg", drawn_jpeg());
  place.write("bad.jpg", "no picture");
  const Outcome outcome = place.run({"detect", "--json", "--mtcnn", "mtcnn.safetensors", "--thresholds",
                                     "0.99,0.99,0.99", "good.jpg", "bad.jpg", "good.jpg"});
  CHECK(outcome.status == 3);
  CHECK(std::ranges::count(outcome.out, '\n') == 2);
  CHECK(std::ranges::count(outcome.err, '\n') == 1);
  CHECK(contains(outcome.err, "bad.jpg"));
}

TEST_CASE("no weights: a sentence that says how to get them") {
  const Workplace place;
  place.write("a.jpg", drawn_jpeg());
  if (contains(place.run({"models", "list", "--json"}).out, R"("role":"detector","file":null)")) {
    CHECK(contains(refused(place, 4, {"detect", "a.jpg"}), "models fetch"));
  } else {
    MESSAGE("skipped: this build finds weights of its own");
  }
  CHECK(contains(refused(place, 4, {"detect", "--mtcnn", "absent.safetensors", "a.jpg"}), "absent.safetensors"));
}

TEST_CASE("weights that are none, or of another network") {
  const Workplace place;
  write_random_mtcnn(place);
  write_random_embedder(place);
  place.write("a.jpg", drawn_jpeg());
  place.write("text.safetensors", "not a model");
  place.write("empty.safetensors", "");
  place.write("cut.safetensors", place.read("mtcnn.safetensors").substr(0, 5000));
  for (const std::string name : {"text.safetensors", "empty.safetensors", "cut.safetensors", "embedder.safetensors"}) {
    CAPTURE(name);
    CHECK(contains(refused(place, 4, {"detect", "--mtcnn", name, "a.jpg"}), name));
  }
  const std::string wrong =
      refused(place, 4, {"verify", "--mtcnn", "mtcnn.safetensors", "--weights", "mtcnn.safetensors", "a.jpg", "a.jpg"});
  CHECK(contains(wrong, "mtcnn"));
  refused(place, 4, {"convert", "--embedder", "mtcnn.safetensors", "--output", "out.safetensors"});
}

TEST_CASE("an .npy whose pickle would call something") {
  const Workplace place;
  const std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
  const std::string pickle = std::string("\x80\x02", 2) + "cposix\nsystem\n(S'touch harm'\ntR.";
  for (const std::string name : {"det1.npy", "det2.npy", "det3.npy"}) place.write("mtcnn/" + name, npy(header, pickle));
  place.write("a.jpg", drawn_jpeg());
  CHECK(contains(refused(place, 4, {"detect", "--mtcnn", "mtcnn", "a.jpg"}), "det1.npy"));
  refused(place, 4, {"convert", "--mtcnn", "mtcnn/det1.npy", "mtcnn/det2.npy", "mtcnn/det3.npy", "--output", "o"});
  CHECK(contains(refused(place, 3, {"predict", "--model", "m", "--features", "mtcnn/det1.npy"}), "det1.npy"));
}

TEST_CASE("a frozen graph with a tensor of the wrong shape") {
  const Workplace place;
  place.write("wrong.pb", frozen_graph("InceptionResnetV1/Conv2d_1a_3x3/weights", {3, 3, 3, 31}));
  const std::string sentence = refused(place, 4, {"convert", "--embedder", "wrong.pb", "--output", "out.safetensors"});
  CHECK(contains(sentence, "wrong.pb"));
  CHECK(contains(sentence, "Conv2d_1a_3x3"));
}

TEST_CASE("arrays of the wrong shape or type") {
  const Workplace place;
  write_random_embedder(place);
  place.write("flat.npy", npy_of(std::vector<float>(12), "(12,)"));
  place.write("small.npy", npy_of(std::vector<float>(2 * 8 * 8 * 3), "(2, 8, 8, 3)"));
  place.write("cut.npy", npy_of(std::vector<float>(3), "(4, 2)"));
  place.write("x.npy", npy_of({0, 1, 2, 3}, "(4, 1)"));
  place.write("y.npy", npy_of(std::vector<std::int64_t>{0, 0, 1}));
  const auto embed = [&](const std::string& name) {
    return refused(place, 3, {"embed", "--weights", "embedder.safetensors", "--input", name, "--output", "e.npy"});
  };
  CHECK(contains(embed("flat.npy"), "[12]"));
  CHECK(contains(embed("small.npy"), "[2, 8, 8, 3]"));
  embed("cut.npy");
  refused(place, 3, {"train", "--features", "flat.npy", "--labels", "y.npy", "--output", "m"});
  refused(place, 3, {"train", "--features", "x.npy", "--labels", "y.npy", "--output", "m"});
  refused(place, 3, {"train", "--features", "x.npy", "--labels", "x.npy", "--output", "m"});
  place.write("m.model", "svm_type c_svc\nkernel_type tea\n");
  refused(place, 4, {"predict", "--model", "m.model", "--features", "x.npy", "--output", "p.npy"});
}

TEST_CASE("a data folder that cannot be one") {
  const Workplace place;
  write_random_mtcnn(place);
  write_random_embedder(place);
  place.write("data", "a file in the way");
  place.write("a.jpg", drawn_jpeg());
  const std::vector<std::string> models{"--mtcnn", "mtcnn.safetensors", "--weights", "embedder.safetensors"};
  for (std::vector<std::string> line :
       std::vector<std::vector<std::string>>{{"serve", "--listen", "127.0.0.1:0"},
                                             {"enrol", "--nik", "1", "--nama", "A", "a.jpg"},
                                             {"recognise", "a.jpg"}}) {
    CAPTURE(line[0]);
    line.insert(line.end(), models.begin(), models.end());
    CHECK(contains(refused(place, 3, line), "data"));
  }
  CHECK(contains(refused(place, 3, {"people", "list"}), "data"));
  CHECK(contains(refused(place, 3, {"people", "list", "--data", "nowhere"}), "nowhere"));
}

TEST_CASE("a port that is in use") {
  const Workplace place;
  const TakenPort port;
  const std::string sentence = refused(place, 3, {"serve", "--listen", "127.0.0.1:" + port.text(), "--data", "new"});
  CHECK(contains(sentence, port.text()));
}

TEST_CASE("a database that is none") {
  const Workplace place;
  place.write("data/wajah.db", std::string(4096, 'x'));
  const Outcome outcome = place.run({"people", "list"});
  CHECK(outcome.status == 3);
  CHECK(outcome.one_sentence());
  CHECK(place.read("data/wajah.db") == std::string(4096, 'x'));
}

TEST_CASE("an output that cannot be written is told before the work begins") {
  const Workplace place;
  place.write("folder/file", "");
  place.write("pairs.txt", "A 1 2\nA 1 3\nA 1 B 1\nA 2 B 1\n");
  for (const std::string output : {"nowhere/out", "folder"}) {
    CAPTURE(output);
    for (std::vector<std::string> line : {std::vector<std::string>{"evaluate", "gallery", "--root", ".", "--plot"},
                                          {"evaluate", "pairs", "--root", ".", "--pairs", "pairs.txt", "--plot"},
                                          {"evaluate", "pairs", "--root", ".", "--pairs", "pairs.txt", "--scores"},
                                          {"calibrate", "--root", ".", "--output"}}) {
      line.push_back(output);
      CHECK(contains(refused(place, 3, line), output + ": cannot be written"));
    }
  }
}

TEST_CASE("pairs that are none") {
  const Workplace place;
  place.write("bad.txt", "10 300\nA 1 2\nA one 2\n");
  place.write("outside.txt", "../../etc 1 2\n");
  place.write("empty.txt", "# nothing\n");
  CHECK(contains(refused(place, 3, {"evaluate", "pairs", "--root", ".", "--pairs", "bad.txt"}), "line 3"));
  refused(place, 3, {"evaluate", "pairs", "--root", ".", "--pairs", "outside.txt"});
  refused(place, 3, {"evaluate", "pairs", "--root", ".", "--pairs", "empty.txt"});
  INFO("pairs of one kind give no threshold");
  place.write("same.txt", "A 1 2\nA 1 3\nA 2 3\n");
  CHECK(contains(refused(place, 3, {"evaluate", "pairs", "--root", ".", "--pairs", "same.txt"}),
                 "3 pairs of one person and 0 of two"));
}
