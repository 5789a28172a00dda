// wajah convert: published weights to one safetensors file, batch normalisation folded, ready to be mapped.
#include "cli/commands.hpp"
#include "cli/conversion.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/error.hpp>
#include <wajah/weights.hpp>

#include <boost/json.hpp>

#include <filesystem>

namespace wajah::cli {
namespace {

int run(Arguments arguments) {
  CommonOptions common;
  std::vector<std::string> mtcnn;
  std::string embedder, output;
  OptionSet set("convert --mtcnn det1.npy det2.npy det3.npy --output F | convert --embedder FILE --output F",
                "Converts published weights to safetensors.");
  set.add_list("mtcnn", mtcnn, "FILE...", "det1.npy det2.npy det3.npy, or their folder");
  set.add("embedder", embedder, "FILE", "a frozen graph (.pb) or .onnx");
  set.add("output", output, "FILE", "the .safetensors to write");
  set.common(common, {.json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (mtcnn.empty() == embedder.empty()) fail(ErrorKind::usage, "either --mtcnn or --embedder is needed");
  if (!mtcnn.empty() && mtcnn.size() != 1 && mtcnn.size() != 3) {
    fail(ErrorKind::usage, "--mtcnn takes three files or their folder, {} were given", mtcnn.size());
  }
  if (output.empty()) fail(ErrorKind::usage, "--output is missing");

  const std::vector<std::filesystem::path> files(mtcnn.begin(), mtcnn.end());
  const Weights weights = files.empty() ? convert_embedder(embedder) : convert_detector(files);
  write_safetensors(weights, output);
  const std::string& architecture = weights.metadata().at(std::string(architecture_key));
  if (common.json) {
    print_json(
        boost::json::object{{"output", output}, {"architecture", architecture}, {"tensors", weights.names().size()}});
  } else {
    fmt::print("{}: {}, {} tensors\n", output, architecture, weights.names().size());
  }
  return exit_yes;
}

}  // namespace

const Command convert_command{"convert", "turns published weights into safetensors", run};

}  // namespace wajah::cli
