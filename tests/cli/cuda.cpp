// What commands say and do where a CUDA card is asked for, and the comparison of two devices.
#include "cli/program.hpp"

#include <doctest/doctest.h>

namespace {

using wajah::test::Outcome;
using wajah::test::Workplace;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("bench --check prints how far two devices lie apart") {
  const Workplace place;
  const Outcome outcome = place.run({"bench", "--check", "cpu:scalar,cpu", "--net", "onet", "--batch", "2"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.out, "onet, 2 images, cpu:scalar against cpu: 32 numbers"));
  CHECK(contains(outcome.out, "within 1.0e-03"));
  const Outcome line = place.run({"bench", "--check", "cpu,cpu", "--net", "rnet", "--json"});
  CHECK(contains(line.out, "\"worst\":0"));
  CHECK(place.run({"bench", "--check", "cpu", "--net", "rnet"}).status == 2);
  CHECK(place.run({"bench", "--check", "cpu,gpu", "--net", "rnet"}).status == 2);
}

TEST_CASE("bench --check in int8: both devices on bytes, of as many bits as a card's") {
  const Workplace place;
  const Outcome outcome = place.run(
      {"bench", "--check", "cpu:scalar,cpu", "--net", "mobilefacenet", "--precision", "int8", "--tolerance", "0.05"});
  CAPTURE(outcome.err);
  CAPTURE(outcome.out);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.out, "mobilefacenet, 1 image, cpu:scalar against cpu:"));
  CHECK(contains(outcome.out, ", both in int8: 128 numbers"));
  CHECK_FALSE(contains(outcome.out, "cpu:avx2,"));
  const Outcome net = place.run({"bench", "--check", "cuda:99,cpu", "--net", "pnet", "--precision", "int8"});
  CHECK(net.status == 5);
  CHECK(contains(net.err, "only inception-resnet-v1 and mobilefacenet compute in int8"));
}

TEST_CASE("int8 by cuDNN is refused with the reason") {
  const Workplace place;
  for (const auto& line :
       std::vector<std::vector<std::string>>{{"bench", "net", "--device", "cuda", "--cuda-conv", "cudnn"},
                                             {"bench", "--check", "cuda,cpu", "--cuda-conv", "cudnn"},
                                             {"bench", "--check", "cudnn,cpu"}}) {
    std::vector<std::string> words = line;
    words.insert(words.end(), {"--precision", "int8"});
    const Outcome outcome = place.run(words);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(outcome.one_sentence());
    CHECK(contains(outcome.err, "those on bytes are wajah's own"));
  }
}

TEST_CASE("a card that is not there is a device error that says why") {
  const Workplace place;
  for (const auto& line :
       std::vector<std::vector<std::string>>{{"bench", "net", "--net", "onet", "--device", "cuda:99"},
                                             {"bench", "net", "--device", "cuda:99", "--cuda-conv", "cudnn"},
                                             {"bench", "net", "--device", "cuda:99", "--precision", "int8"},
                                             {"bench", "--check", "cuda:99,cpu", "--net", "onet"},
                                             {"bench", "--check", "cudnn:99,cpu", "--net", "onet"},
                                             {"embed", "--device", "cuda:99", "a.jpg"},
                                             {"embed", "--device", "cuda:99", "--precision", "int8", "a.jpg"},
                                             {"verify", "--device", "cuda:99", "a.jpg", "b.jpg"},
                                             {"bench", "detect", "--device", "cuda:99", "a.jpg"},
                                             {"serve", "--device", "cuda:99"}}) {
    const Outcome outcome = place.run(line);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 5);
    CHECK(contains(outcome.err, "use --device cpu"));
  }
}

TEST_CASE("the share of a card's memory and the variables of its kernels are looked at before the card") {
  const Workplace place;
  for (const auto& line : std::vector<std::vector<std::string>>{{"bench", "net", "--net", "onet", "--device", "cuda"},
                                                                {"bench", "--check", "cuda,cpu", "--net", "onet"},
                                                                {"embed", "--device", "cuda", "a.jpg"}}) {
    std::vector<std::string> words = line;
    words.insert(words.end(), {"--gpu-memory-fraction", "1.5"});
    const Outcome share = place.run(words);
    CHECK(share.status == 2);
    CHECK(contains(share.err, "1.5, expected more than 0 and at most 1"));
    CHECK(place.run(line, {{"WAJAH_GPU_MEMORY_FRACTION", "0"}}).status == 2);
    const Outcome variable = place.run(line, {{"WAJAH_CUDA_FUSED_BLOCKS", "on"}});
    CHECK(variable.status == 2);
    CHECK(contains(variable.err, "WAJAH_CUDA_FUSED_BLOCKS='on': expected 0 or 1"));
  }
}

TEST_CASE("--cuda-conv is own or cudnn, and cudnn is for a card") {
  const Workplace place;
  const Outcome word = place.run({"bench", "net", "--net", "onet", "--device", "cuda", "--cuda-conv", "cublas"});
  CHECK(word.status == 2);
  CHECK(contains(word.err, "--cuda-conv 'cublas': expected own or cudnn"));
  const Outcome cpu = place.run({"bench", "net", "--net", "onet", "--device", "cpu", "--cuda-conv", "cudnn"});
  CHECK(cpu.status == 2);
  CHECK(contains(cpu.err, "--cuda-conv cudnn: needs --device cuda"));
  CHECK(place.run({"bench", "--check", "cpu,cpu", "--net", "rnet", "--cuda-conv", "no"}).status == 2);
}

TEST_CASE("bench net --kernels and --input card are for a card, and are checked before it is looked for") {
  const Workplace place;
  const auto says = [&](std::vector<std::string> options, const char* expected) {
    std::vector<std::string> words{"bench", "net", "--net", "onet"};
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = place.run(words);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(contains(outcome.err, expected));
  };
  says({"--device", "cpu", "--kernels"}, "--kernels: needs --device cuda");
  says({"--device", "cpu", "--input", "card"}, "--input card: needs --device cuda");
  says({"--device", "cuda", "--input", "disk"}, "--input 'disk': expected host or card");
  says({"--device", "cuda", "--kernels", "--cuda-conv", "cudnn"}, "--kernels: times wajah's own");
}

}  // namespace
