// The two kernels that propose faces against the layers and the resizer whose work they do, and the detector that uses
// them against the same cascade of plain networks: everywhere to the last bit.
#include <wajah/convert/open.hpp>
#include <wajah/detect/cascade.hpp>
#include <wajah/detect/shrink.hpp>
#include <wajah/image_io.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include "check.hpp"
#include "detect/random_pnet.hpp"
#include "image/pictures.hpp"
#include "layers/compare.hpp"
#include "random_shapes.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace wajah;

namespace {

// A strip between guard pages.
struct Strip {
  Strip(int width, int height, Touch touch, std::mt19937& random) : bytes({1, height, width, 4}, 0, touch) {
    bytes.fill(random);
    hits.resize(static_cast<std::size_t>(pnet_outputs(width)) * static_cast<std::size_t>(pnet_outputs(height)));
  }

  [[nodiscard]] std::vector<float> network_input() const {
    std::vector<float> values;
    for (std::size_t i = 0; i < bytes.view().shape.size(); ++i) {
      if (i % 4 != 3) values.push_back((static_cast<float>(bytes.view().data[i]) - 127.5F) * 0.0078125F);
    }
    return values;
  }

  GuardedMapOf<std::uint8_t> bytes;
  std::vector<PNetHit> hits;
};

void scan(const Cpu& cpu, const PNetWeights& weights, std::vector<PNetStrip>& strips, float least,
          const PNetScreen* screen = nullptr) {
  int widest = 0, tallest = 0, next = 0;
  for (const PNetStrip& strip : strips) {
    widest = std::max(widest, strip.x.shape.w);
    tallest = std::max(tallest, strip.x.shape.h);
  }
  const std::ptrdiff_t each = scan_pnet_scratch(widest, tallest);
  std::vector<float> scratch(static_cast<std::size_t>(each * cpu.threads()), NAN);
  scan_pnet(cpu,
            {&weights, screen, strips.data(), static_cast<int>(strips.size()), &next, least, scratch.data(), each});
}

void check_hit(const PNetHit& hit, ConstView<float> expected, int first_row) {
  const float* p = expected.pixel(0, hit.row - first_row, hit.column);
  CHECK(hit.score == p[1]);
  CHECK(std::equal(hit.regression, hit.regression + 4, p + 2));
}

}  // namespace

TEST_CASE("scanning a strip is P-Net layer by layer") {
  std::mt19937 random(1);
  const Weights weights = random_pnet(random);
  const auto packed = load_pnet_weights(weights);
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    CAPTURE(name);
    const auto model = std::make_shared<const Model<PNet, Cpu>>(cpu, weights);
    Session<PNet, Cpu> session(model);
    const std::pair<int, int> sizes[] = {{12, 12}, {13, 12}, {12, 13}, {14, 15},  {31, 18},
                                         {33, 17}, {34, 14}, {35, 40}, {36, 13},  {41, 16},
                                         {64, 12}, {65, 21}, {67, 13}, {130, 12}, {257, 23}};
    for (const auto& [width, height] : sizes) {
      CAPTURE(width);
      CAPTURE(height);
      Strip strip(width, height, random() % 2 == 0 ? Touch::first : Touch::last, random);
      std::vector<PNetStrip> strips{{strip.bytes.view(), 7, strip.hits.data()}};
      scan(cpu, *packed, strips, -HUGE_VALF);
      const std::vector<float> x = strip.network_input();
      const ConstView<float> y = session.forward({x.data(), {1, height, width, 3}});
      REQUIRE(strips[0].found == static_cast<int>(y.shape.pixels()));
      for (const PNetHit& hit : strip.hits) check_hit(hit, y, 7);
    }
  });
}

TEST_CASE("scan_pnet: random shapes") {
  Draw draw(5);
  const Weights weights = random_pnet(draw.random());
  const auto packed = load_pnet_weights(weights);
  std::map<Isa, Session<PNet, Cpu>> sessions;
  for (int i = shapes_to_draw(30); i > 0; --i) {
    const int width = draw.between(12, 150), height = draw.between(12, 50);
    Strip strip(width, height, draw.touch(), draw.random());
    const std::vector<float> x = strip.network_input();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      auto& session =
          sessions.try_emplace(cpu.isa(), std::make_shared<const Model<PNet, Cpu>>(cpu, weights)).first->second;
      std::vector<PNetStrip> strips{{strip.bytes.view(), 0, strip.hits.data()}};
      scan(cpu, *packed, strips, -HUGE_VALF);
      const ConstView<float> y = session.forward({x.data(), {1, height, width, 3}});
      REQUIRE(strips[0].found == static_cast<int>(y.shape.pixels()));
      const auto wrong = std::ranges::count_if(strip.hits, [&](const PNetHit& hit) {
        const float* p = y.pixel(0, hit.row, hit.column);
        return hit.score != p[1] || !std::equal(hit.regression, hit.regression + 4, p + 2);
      });
      CHECK_MESSAGE(wrong == 0, "scan_pnet " << width << "x" << height << " on " << name);
    });
  }
}

TEST_CASE("only what looks like a face enough is kept, strip by strip") {
  std::mt19937 random(2);
  const Weights weights = random_pnet(random);
  const auto packed = load_pnet_weights(weights);
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    CAPTURE(name);
    std::vector<std::unique_ptr<Strip>> all;
    std::vector<PNetStrip> strips;
    for (int i = 0; i < 9; ++i) {
      all.push_back(std::make_unique<Strip>(20 + 13 * i, 60 - 5 * i, Touch::last, random));
      strips.push_back({all.back()->bytes.view(), i, all.back()->hits.data()});
    }
    scan(cpu, *packed, strips, -HUGE_VALF);
    std::vector<std::vector<PNetHit>> every;
    for (const auto& strip : all) every.push_back(strip->hits);
    std::vector<float> scores;
    for (const PNetHit& hit : every[0]) scores.push_back(hit.score);
    std::ranges::nth_element(scores, scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 2));
    const float threshold = scores[scores.size() / 2];
    scan(cpu, *packed, strips, std::log(threshold / (1 - threshold)));
    for (std::size_t i = 0; i < strips.size(); ++i) {
      const auto close = [&](const PNetHit& hit) { return std::abs(hit.score - threshold) < 1e-5F; };
      const auto below = [&](const PNetHit& hit) { return hit.score < threshold || close(hit); };
      std::erase_if(every[i], below);
      std::vector<PNetHit> kept(strips[i].hits, strips[i].hits + strips[i].found);
      std::erase_if(kept, close);
      CHECK(std::ranges::none_of(kept, below));
      CHECK(std::ranges::equal(kept, every[i], [](const PNetHit& a, const PNetHit& b) {
        return a.row == b.row && a.column == b.column && a.score == b.score;
      }));
    }
  });
}

TEST_CASE("what the screen leaves is what looks like a face") {
  std::mt19937 random(4);
  const Weights weights = random_pnet(random);
  const auto packed = load_pnet_weights(weights);
  std::size_t all = 0;
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    CAPTURE(name);
    const auto screen = make_pnet_screen(*packed, cpu.isa());
    for (int i = 0; i < 12; ++i) {
      CAPTURE(i);
      Strip strip(17 + 29 * i, 12 + 7 * i, i % 2 == 0 ? Touch::first : Touch::last, random);
      std::vector<PNetStrip> strips{{strip.bytes.view(), 3, strip.hits.data()}};
      scan(cpu, *packed, strips, -HUGE_VALF);
      std::vector<float> differences;
      for (const PNetHit& hit : strip.hits) differences.push_back(std::log(hit.score / (1 - hit.score)));
      const auto tenth = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() * 9 / 10);
      std::ranges::nth_element(differences, tenth);
      scan(cpu, *packed, strips, *tenth);
      const std::vector<PNetHit> expected(strips[0].hits, strips[0].hits + strips[0].found);
      scan(cpu, *packed, strips, *tenth, screen.get());
      all += expected.size();
      CHECK(std::ranges::equal(expected, std::span(strips[0].hits, static_cast<std::size_t>(strips[0].found)),
                               [](const PNetHit& a, const PNetHit& b) {
                                 return a.row == b.row && a.column == b.column && a.score == b.score &&
                                        std::equal(a.regression, a.regression + 4, b.regression);
                               }));
    }
  });
  CHECK(all > 1000);
}

TEST_CASE("shrinking to many levels at once is resizing to each") {
  std::mt19937 random(3);
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 5}, {37, 29}, {64, 48}, {129, 97}, {200, 31}}) {
    CAPTURE(width);
    CAPTURE(height);
    GuardedMapOf<std::uint8_t> pixels({1, height, width, 3}, 0, random() % 2 == 0 ? Touch::first : Touch::last);
    pixels.fill(random);
    Image image(width, height);
    std::copy_n(pixels.view().data, image.pixels.size(), image.pixels.data());
    for_each_cpu([&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      AreaResizer resizer(cpu);
      std::vector<ResizePlan> plans;
      std::vector<std::unique_ptr<GuardedMapOf<std::uint8_t>>> levels;
      std::vector<ShrinkLevel> jobs;
      std::ptrdiff_t widest = 0, all = 0;
      for (const double scale : {1.0, 0.9, 0.6, 0.5, 0.43, 1.0 / 3, 0.17, 0.05}) {
        const int to_width = static_cast<int>(std::ceil(width * scale)),
                  to_height = static_cast<int>(std::ceil(height * scale));
        plans.push_back(resize_plan(width, height, to_width, to_height, true));
        levels.push_back(
            std::make_unique<GuardedMapOf<std::uint8_t>>(Shape{1, to_height, to_width, 4}, 0, Touch::last));
        widest = std::max<std::ptrdiff_t>(widest, to_width);
        all += to_width;
      }
      for (std::size_t i = 0; i < plans.size(); ++i) {
        jobs.push_back(
            {plans[i].columns.view(), plans[i].rows.view(), levels[i]->view(), plans[i].scale, plans[i].rounding});
      }
      const int count = static_cast<int>(jobs.size());
      const std::ptrdiff_t each = shrink_scratch(width, widest, all, count);
      std::vector<float> scratch(static_cast<std::size_t>(each * cpu.threads()), NAN);
      std::vector<ShrinkWalk> walks(jobs.size() * static_cast<std::size_t>(cpu.threads()));
      shrink(cpu, {pixels.view(), jobs.data(), count, walks.data(), scratch.data(), each});
      for (const ShrinkLevel& job : jobs) {
        const Shape shape = job.y.shape;
        std::vector<float> expected(shape.pixels() * 3);
        resizer.rows(image, shape.w, shape.h, 0, {expected.data(), shape.channels(3)});
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
          wrong += static_cast<float>(job.y.data[i / 3 * 4 + i % 3]) != expected[i] * 128.0F + 127.5F;
        }
        CAPTURE(shape.w);
        CHECK(wrong == 0);
      }
    });
  }
}

namespace {

// MTCNN of plain networks, layer by layer, one thread.
class Plain {
 public:
  explicit Plain(const Weights& weights)
      : pnet_(std::make_shared<const Model<PNet, Cpu>>(cpu_, weights.scope("pnet"))),
        rnet_(std::make_shared<const Model<RNet, Cpu>>(cpu_, weights.scope("rnet"))),
        onet_(std::make_shared<const Model<ONet, Cpu>>(cpu_, weights.scope("onet"))),
        cascade_(cpu_) {}

  std::vector<Face> detect(const Image& image, const DetectorOptions& options) {
    const auto call = [](auto& session) {
      return [&session](ConstView<float> x) -> ConstView<float> { return session.forward(x); };
    };
    return cascade_.run(image, options, {call(pnet_), {call(rnet_)}, {call(onet_)}});
  }

 private:
  Cpu cpu_{1};
  Session<PNet, Cpu> pnet_;
  Session<RNet, Cpu> rnet_;
  Session<ONet, Cpu> onet_;
  Cascade cascade_;
};

bool same(const std::vector<Face>& a, const std::vector<Face>& b) {
  return std::ranges::equal(
      a, b, [](const Face& f, const Face& g) { return f.box == g.box && f.score == g.score && f.points == g.points; });
}

// Every `step`th of the JPEG files below a folder, in the order of their names.
std::vector<std::filesystem::path> photos_below(const std::filesystem::path& folder, std::size_t most) {
  std::vector<std::filesystem::path> all, some;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".jpg") all.push_back(entry.path());
  }
  std::ranges::sort(all);
  const std::size_t step = std::max<std::size_t>(all.size() / most, 1);
  for (std::size_t i = 0; i < all.size() && some.size() < most; i += step) some.push_back(all[i]);
  return some;
}

}  // namespace

TEST_CASE("the detector finds exactly the faces of the cascade of plain networks") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data beside the source tree");
    return;
  }
  const Weights weights = open_mtcnn(*data / "mtcnn");
  const Cpu cpu(2);
  Detector detector(load_detector(weights, cpu), cpu);
  Plain plain(open_mtcnn(*data / "mtcnn"));
  std::vector<std::filesystem::path> photos = photos_below(*data / "photos", 100);
  if (const char* lfw = std::getenv("WAJAH_LFW")) {
    const char* most = std::getenv("WAJAH_LFW_PHOTOS");
    std::ranges::move(photos_below(lfw, most != nullptr ? std::stoul(most) : 200), std::back_inserter(photos));
  }
  std::size_t faces = 0;
  for (const std::filesystem::path& file : photos) {
    const Image image = read_image(file);
    for (const DetectorOptions& options : {DetectorOptions{}, recognise_options}) {
      const std::vector<Face> found = detector.detect(image, options);
      CHECK_MESSAGE(same(found, plain.detect(image, options)), file.filename().string());
      faces += found.size();
    }
  }
  MESSAGE(photos.size() << " photos, " << faces << " faces, the same; WAJAH_LFW names a folder of more");
}
