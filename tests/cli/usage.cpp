// What the command line says to slips, and what every command says to --help.
#include "cli/commands.hpp"
#include "cli/program.hpp"
#include "cli/suggest.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using wajah::test::Outcome;
using wajah::test::Workplace;
namespace cli = wajah::cli;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr std::array commands{&cli::serve_command,   &cli::detect_command,     &cli::embed_command,
                              &cli::verify_command,  &cli::enrol_command,      &cli::recognise_command,
                              &cli::people_command,  &cli::attendance_command, &cli::train_command,
                              &cli::predict_command, &cli::evaluate_command,   &cli::calibrate_command,
                              &cli::convert_command, &cli::models_command,     &cli::bench_command,
                              &cli::doctor_command,  &cli::version_command};

}  // namespace

TEST_CASE("the edit distance counts slips of the fingers") {
  CHECK(cli::edit_distance("", "") == 0);
  CHECK(cli::edit_distance("detect", "detect") == 0);
  CHECK(cli::edit_distance("detct", "detect") == 1);
  CHECK(cli::edit_distance("detetc", "detect") == 1);
  CHECK(cli::edit_distance("dtct", "detect") == 2);
  CHECK(cli::edit_distance("kitten", "sitting") == 3);
  CHECK(cli::edit_distance("", "abc") == 3);
}

TEST_CASE("only a near word is suggested") {
  constexpr std::array<std::string_view, 3> known{"detect", "embed", "serve"};
  CHECK(cli::nearest("detct", known) == "detect");
  CHECK(cli::nearest("sevre", known) == "serve");
  CHECK(cli::nearest("photosynthesis", known).empty());
  CHECK(cli::suggestion("embd", known) == "; did you mean embed?");
  CHECK(cli::suggestion("zzz", known).empty());
}

TEST_CASE("every command explains itself") {
  const Workplace place;
  const Outcome all = place.run({"--help"});
  CHECK(all.status == 0);
  CHECK(place.run({"help"}).out == all.out);
  for (const cli::Command* command : commands) {
    const std::string name(command->name);
    CAPTURE(name);
    CHECK(contains(all.out, std::string(command->summary)));
    const Outcome help = place.run({name, "--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    CHECK(help.out.starts_with("Usage: wajah " + name));
    CHECK(place.run({"help", name}).out == help.out);
  }
  CHECK(place.files().empty());
}

TEST_CASE("verbs of commands explain themselves, too") {
  const Workplace place;
  for (const auto& words :
       {std::array{"people", "list"}, std::array{"people", "delete"}, std::array{"evaluate", "pairs"},
        std::array{"models", "list"}, std::array{"models", "info"}, std::array{"models", "fetch"},
        std::array{"bench", "net"}, std::array{"bench", "layers"}, std::array{"bench", "detect"}}) {
    CAPTURE(words[1]);
    const Outcome help = place.run({words[0], words[1], "--help"});
    CHECK(help.status == 0);
    CHECK(help.out.starts_with(std::string("Usage: wajah ") + words[0] + " " + words[1]));
  }
}

TEST_CASE("an unknown command is a usage error with a suggestion") {
  const Workplace place;
  const Outcome outcome = place.run({"detetc", "photo.jpg"});
  CHECK(outcome.status == 2);
  CHECK(outcome.err == "wajah: unknown command 'detetc'; did you mean detect?\n");
  CHECK(place.run({}).status == 2);
  CHECK(place.run({"photosynthesis"}).one_sentence());
}

TEST_CASE("an unknown option is a usage error with a suggestion") {
  const Workplace place;
  const Outcome outcome = place.run({"detect", "--treshold", "0.5", "photo.jpg"});
  CHECK(outcome.status == 2);
  CHECK(outcome.err == "wajah detect: unknown option '--treshold'; did you mean --thresholds?\n");
  const Outcome abbreviated = place.run({"detect", "--min", "20", "photo.jpg"});
  CHECK(abbreviated.status == 2);
  CHECK(abbreviated.one_sentence());
}

TEST_CASE("one line of common options serves every command, whatever it has no use for") {
  const Workplace place;
  const std::vector<std::string> common{"--device",  "cpu",    "--threads", "1",     "--precision", "fp32",
                                        "--weights", "w.onnx", "--mtcnn",   "d.npy", "--data",      "."};
  for (const char* command : {"version", "detect", "embed", "verify", "people", "predict", "train", "recognise"}) {
    CAPTURE(command);
    std::vector<std::string> words{command};
    if (words[0] == "people") words.emplace_back("list");
    words.insert(words.end(), common.begin(), common.end());
    const Outcome outcome = place.run(words);
    CHECK_FALSE(contains(outcome.err, "unknown option"));
  }
}

TEST_CASE("options out of range are usage errors") {
  const Workplace place;
  const std::vector<std::vector<std::string>> lines{
      {"detect"},
      {"detect", "--min-size", "big", "a.jpg"},
      {"detect", "--min-size", "-3", "a.jpg"},
      {"detect", "--min-size", "20", "--min-size", "30", "a.jpg"},
      {"detect", "--thresholds", "0.6,0.7", "a.jpg"},
      {"detect", "--thresholds", "0.6,0.7,1.5", "a.jpg"},
      {"detect", "--thresholds", "0.6,,0.7", "a.jpg"},
      {"detect", "--factor", "1", "a.jpg"},
      {"detect", "--threads", "-1", "a.jpg"},
      {"detect", "--device", "gpu", "a.jpg"},
      {"detect", "--precision", "fp8", "a.jpg"},
      {"bench", "net", "--exact", "nearly"},
      {"bench", "detect", "--check", "--device", "cuda", "a.jpg"},
      {"detect", "--draw", "out.jpg", "a.jpg", "b.jpg"},
      {"embed"},
      {"embed", "--input", "x.npy"},
      {"embed", "--input", "x.npy", "--output", "e.npy", "a.jpg"},
      {"verify", "a.jpg"},
      {"verify", "a.jpg", "b.jpg", "c.jpg"},
      {"verify", "--accept", "2", "a.jpg", "b.jpg"},
      {"enrol", "--nik", "1", "a.jpg"},
      {"enrol", "--dir", "staff", "--nik", "1"},
      {"people"},
      {"people", "remove"},
      {"people", "delete", "--nik", "1"},
      {"train", "--features", "x.npy"},
      {"train", "--features", "x.npy", "--labels", "y.npy", "--output", "m", "--kernel", "poly"},
      {"predict", "--model", "m"},
      {"evaluate", "pairs", "--root", "lfw"},
      {"evaluate", "gallery", "--root", ".", "--people", "-1"},
      {"evaluate", "gallery", "--root", ".", "--strangers", "-5"},
      {"evaluate", "table", "--root", ".", "--people", "-1"},
      {"evaluate", "table", "--root", ".", "--strangers=-1"},
      {"bench", "search", "--vectors", "-1"},
      {"evaluate", "gallery", "--root", ".", "--plot", "z.svg", "--strangers", "0"},
      {"verify", "--mirror", "sometimes", "a.jpg", "b.jpg"},
      {"serve", "--mirror", "sometimes"},
      {"convert", "--output", "f"},
      {"convert", "--mtcnn", "a", "b", "--output", "f"},
      {"models", "fetch", "resnet"},
      {"bench", "net", "--net", "vgg"},
      {"bench", "net", "--batch", "0"},
      {"bench", "net", "--seconds", "0"},
      {"serve", "--listen", "everywhere"},
      {"version", "please"},
  };
  for (const auto& line : lines) {
    std::string text;
    for (const std::string& word : line) text += word + " ";
    CAPTURE(text);
    const Outcome outcome = place.run(line);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(outcome.one_sentence());
  }
  CHECK(place.files().empty());
}

TEST_CASE("a device or precision that is not there is a device error") {
  const Workplace place;
  for (const auto& line : std::vector<std::vector<std::string>>{{"bench", "net", "--device", "cuda:98"},
                                                                {"bench", "net", "--device", "cuda:99"},
                                                                {"bench", "net", "--precision", "fp16"}}) {
    const Outcome outcome = place.run(line);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 5);
    CHECK(outcome.one_sentence());
  }
  CHECK(place.run({"version"}, {{"WAJAH_ISA", "avx1024"}}).status == 5);
}

TEST_CASE("a common option's environment twin counts, and the command line counts more") {
  const Workplace place;
  const Outcome twin = place.run({"bench", "net", "--net", "onet", "--seconds", "0.01"}, {{"WAJAH_DEVICE", "cuda:99"}});
  CHECK(twin.status == 5);
  const Outcome both = place.run({"bench", "net", "--net", "onet", "--seconds", "0.01", "--device", "cpu"},
                                 {{"WAJAH_DEVICE", "cuda:99"}});
  CHECK(both.status == 0);
  CHECK(contains(place.run({"version"}, {{"WAJAH_JSON", "true"}}).out, "\"version\":"));
  CHECK(place.run({"detect", "a.jpg"}, {{"WAJAH_THREADS", "many"}}).status == 2);
}

TEST_CASE("output that cannot be written is not success") {
  const Workplace place;
  // /dev/full refuses every byte; the program must notice although it has printed all it wanted.
  const std::string shell = "exec \"$0\" version > /dev/full";
  const Outcome outcome = place.run_shell(shell);
  CHECK(outcome.status == 3);
  CHECK(contains(outcome.err, "could not be written"));
}
