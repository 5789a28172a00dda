// int8: what it needs before it can be used, said in one sentence each.
#include "cli/inputs.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using wajah::test::Outcome;
using wajah::test::Workplace;

namespace {

TEST_CASE("int8 of weights that were never measured is refused with the way out") {
  const Workplace place;
  wajah::test::write_random_embedder(place);
  place.write("x.npy", wajah::test::npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 160, 160, 3), }",
                                        std::string(160 * 160 * 3, '\x40')));
  const Outcome outcome = place.run({"embed", "--weights", "embedder.safetensors", "--input", "x.npy", "--output",
                                     "e.npy", "--precision", "int8"});
  CHECK(outcome.status == 4);
  CHECK(outcome.one_sentence());
  CHECK(outcome.err.find("wajah models quantise") != std::string::npos);
}

TEST_CASE("models quantise says what is missing") {
  const Workplace place;
  struct Line {
    std::vector<std::string> words;
    int status;
  };
  for (const Line& line : {Line{{"models", "quantise"}, 2},
                           Line{{"models", "quantise", "--photos", "faces"}, 2},
                           Line{{"models", "quantise", "--photos", "nowhere", "--output", "f.safetensors"}, 3}}) {
    const Outcome outcome = place.run(line.words);
    CAPTURE(outcome.err);
    CHECK(outcome.status == line.status);
    CHECK(outcome.one_sentence());
  }
}

TEST_CASE("a network without a form in int8 is not timed as if it had one") {
  const Outcome outcome = Workplace().run({"bench", "net", "--net", "pnet", "--precision", "int8"});
  CHECK(outcome.status == 5);
  CHECK(outcome.one_sentence());
  // The same on a card, before the card is looked for.
  const Outcome on_card =
      Workplace().run({"bench", "net", "--net", "onet", "--precision", "int8", "--device", "cuda:99"});
  CHECK(on_card.status == 5);
  CHECK(on_card.one_sentence());
  CHECK(on_card.err.find("compute in int8") != std::string::npos);
}

}  // namespace
