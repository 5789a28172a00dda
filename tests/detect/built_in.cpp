// The detector that ships with wajah against the genuine one, on group pictures: what its model card promises.
#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>

#include "check.hpp"
#include "detect/recorded.hpp"
#include "places.hpp"

#include <algorithm>
#include <vector>

using namespace wajah;
using namespace wajah::test;

namespace {

constexpr double same_face = 0.7;  // intersection over union

// Takes out of `faces` the one that covers `wanted` best, if it does well enough.
bool take(std::vector<Face>& faces, const Face& wanted) {
  const auto overlap = [&](const Face& face) { return intersection_over_union(face.box, wanted.box); };
  const auto best = std::ranges::max_element(faces, {}, overlap);
  if (best == faces.end() || overlap(*best) < same_face) return false;
  faces.erase(best);
  return true;
}

}  // namespace

TEST_CASE("the built-in detector finds the genuine one's faces") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data beside the source tree");
    return;
  }
  const Cpu cpu(2);
  Detector detector(load_detector(open_mtcnn(source_folder() / "weights" / "mtcnn.safetensors"), cpu), cpu);
  std::size_t genuine = 0, found = 0, beyond = 0;
  for_each_recorded(*data, [&](const Image& image, const DetectorOptions& options, const std::vector<Face>& expected) {
    std::vector<Face> faces = detector.detect(image, options);
    for (const Face& wanted : expected) {
      ++genuine;
      found += take(faces, wanted) ? 1 : 0;
    }
    beyond += faces.size();
  });
  MESSAGE(found << " of " << genuine << " faces found, " << beyond << " beyond them");
  CHECK(static_cast<double>(found) >= 0.97 * static_cast<double>(genuine));
  CHECK(static_cast<double>(beyond) <= 0.02 * static_cast<double>(genuine));
}
