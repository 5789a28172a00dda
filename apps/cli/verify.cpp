// wajah verify: do two photos show the same person?
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/verification.hpp"
#include "cli/weight_files.hpp"

#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include <boost/json.hpp>

namespace wajah::cli {
namespace {

std::vector<float> embed(Recognizer& recognizer, const std::string& name) {
  if (auto embedding = embed_central_face(recognizer, read_image(name))) return *std::move(embedding);
  fail(ErrorKind::input, "{}: no face found", name);
}

int run(Arguments arguments) {
  CommonOptions common;
  double accept = 0.7;
  std::vector<std::string> images;
  OptionSet set(
      "verify [options] A.jpg B.jpg",
      "Compares the faces of two photos, the one nearest the centre where there are several. Exit 0: the same "
      "person, 1: not. Photos that lie on their side or head are turned for it.");
  set.add("accept", accept, "P", "the same person from this confidence on");
  set.operands(images, "IMAGE", 2, 2);
  set.common(common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (!(accept > 0 && accept < 1)) fail(ErrorKind::usage, "--accept {}: expected a number between 0 and 1", accept);

  const Devices devices = make_devices(common);
  Recognizer recognizer(load_models(common, devices), devices.cpu);
  const std::vector<float> a = embed(recognizer, images[0]);
  const std::vector<float> b = embed(recognizer, images[1]);
  const double similarity = static_cast<double>(cosine(a, b));
  // There is nobody else to be told from: the margin is the similarity itself, as for a gallery of one (Prediction).
  const double confidence = recognizer.card().curve(similarity, similarity);
  const bool same = confidence >= accept;
  if (common.json) {
    print_json(boost::json::object{
        {"similarity", rounded(similarity, 6)}, {"confidence", rounded(confidence, 6)}, {"same", same}});
  } else {
    fmt::print("{} person: similarity {:.3f}, confidence {:.1f} %\n", same ? "same" : "not the same", similarity,
               confidence * 100);
  }
  return same ? exit_yes : exit_no;
}

}  // namespace

const Command verify_command{"verify", "says whether two photos show one person", run};

}  // namespace wajah::cli
