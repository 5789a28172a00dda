#include "cli/signature.hpp"

#include "cli/drawn_faces.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/random_weights.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/recognizer.hpp>

#include <fmt/format.h>
#include <boost/json.hpp>

#include <cmath>
#include <cstdint>

namespace wajah::cli {
namespace {

class Hash {
 public:
  void add(double value) {
    // + 0.0 makes one zero of the two.
    for (const char c : fmt::format("{:.3f};", std::round(value * 1000) / 1000 + 0.0)) {
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U;  // FNV-1a
    }
  }
  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  std::uint64_t state_ = 0xCBF29CE484222325U;
};

void add(Hash& hash, const Face& face) {
  for (const double corner : {face.box.x1, face.box.y1, face.box.x2, face.box.y2}) hash.add(corner);
  hash.add(static_cast<double>(face.score));
  for (const Point& point : face.points) {
    hash.add(point.x);
    hash.add(point.y);
  }
}

}  // namespace

int print_signature(Arguments arguments) {
  CommonOptions common;
  OptionSet set("bench --signature [options]",
                "Prints one hash of boxes and embeddings of drawn faces: a change that means to keep results keeps it. "
                "Without weights random ones are used. Of fp32 it is the same on every CPU; bytes are finer on CPUs "
                "with dot products of them, so that of int8 is not.");
  set.common(common, {.device = true, .mtcnn = true, .weights = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const Cpu cpu = make_device(common);
  const auto mtcnn = look_for_mtcnn(common);
  const auto weights = look_for_embedder(common);
  Recognizer recognizer(
      std::make_shared<const Models>(
          Models{load_detector(mtcnn ? open_mtcnn(*mtcnn) : random_mtcnn(), cpu),
                 load_embedder(weights ? open_embedder(*weights) : random_embedder(), cpu, precision_of(common))}),
      cpu);

  const DrawnFaces drawn = draw_two_faces();
  Hash hash;
  const std::vector<Face> found = recognizer.detect(drawn.image, {});
  for (const Face& face : found) add(hash, face);
  // Of the faces where they were drawn: a detector that finds others must not hide what the embedder does.
  for (const float value : recognizer.embed(drawn.image, drawn.faces)) hash.add(static_cast<double>(value));
  if (common.json) {
    print_json(boost::json::object{{"signature", hash.text()},
                                   {"faces", found.size()},
                                   {"isa", name_of(cpu.isa())},
                                   {"precision", name_of(precision_of(common))},
                                   {"mtcnn", mtcnn ? "file" : "random"},
                                   {"weights", recognizer.card().id}});
  } else {
    fmt::print("{}\n", hash.text());
  }
  return exit_yes;
}

}  // namespace wajah::cli
