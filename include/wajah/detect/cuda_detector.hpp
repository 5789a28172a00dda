// CudaDetector: the cascade with a picture that goes up to the card once. There its pyramid is made and searched by
// P-Net, its crops are cut out and judged by R- and O-Net, and boxes become the next network's crops
// (cuda_cascade.hpp). Where a level enlarges the picture, or the boxes are too many or cannot be told apart, the CPU
// does what is done with boxes, with the same result.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/cuda_pass.hpp>
#include <wajah/detect/cascade.hpp>
#include <wajah/detect/cuda_cascade.hpp>
#include <wajah/detect/detector_model.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

namespace wajah {

template <class Device>
struct CudaMtcnn {
  CudaMtcnn(const Device& device, const Weights& weights)
      : pnet(device, weights.scope("pnet")), rnet(device, weights.scope("rnet")), onet(device, weights.scope("onet")) {
    const auto packed = pack_pnet_for_card(*load_pnet_weights(weights.scope("pnet")));
    pnet_tiles = device.uploaded(packed.get(), sizeof *packed);
  }

  Model<PNet, Device> pnet;  // layer by layer, for levels that enlarge the picture
  Buffer pnet_tiles;         // PNetCardWeights, for the others
  Model<RNet, Device> rnet;
  Model<ONet, Device> onet;
};

template <class Device>
class CudaDetector final : public DetectorPass {
 public:
  // room: for places where P-Net sees a face, that come down at once; it grows when there are more.
  CudaDetector(std::shared_ptr<const CudaMtcnn<Device>> models, const Cpu& cpu, int room)
      : models_(std::move(models)),
        device_(models_->pnet.device().on_own_stream()),
        pass_(device_),
        room_(room),
        lists_(std::in_place, device_, std::min(room, most_nms_boxes)),
        cascade_(cpu) {
    networks_.pnet = [this](ConstView<float> x) { return search(x); };
    networks_.look = [this](std::span<const Level> levels, float threshold) { return look(levels, threshold); };
    networks_.rnet_on_windows = [this](std::span<const CropWindow> windows) {
      return judge(models_->rnet.net(), 24, rnet, windows);
    };
    networks_.onet_on_windows = [this](std::span<const CropWindow> windows) {
      return judge(models_->onet.net(), 48, onet, windows);
    };
  }

  [[nodiscard]] std::vector<Face> detect(const Image& image, const DetectorOptions& options,
                                         const DetectorWatch& watch) override {
    validate(options);
    if (!image.empty()) show(image);
    if (watch) watch({DetectorStage::upload, 0, 0});
    if (auto faces = detect_on_card(image, options, watch)) return *std::move(faces);
    return cascade_.run(image, options, networks_, watch);
  }

 private:
  static constexpr int most_crops = 256;
  static constexpr int most_places = 1 << 16;  // of a level, each way: what gather_hits can tell apart
  // Kinds of work.
  static constexpr double places = 0, pnet = 1, rnet = 2, onet = 3, proposing = 4, refining = 5, deciding = 6,
                          rnet_list = 7, onet_list = 8;

  // The picture goes up, and stays where it is for as long as none is larger: graphs hold its address.
  void show(const Image& image) {
    const std::size_t bytes = image.pixels.size();
    if (photo_.size() < bytes) {
      pass_ = CudaPass(device_);
      photo_ = {};
      photo_ = device_.allocate(bytes);
    }
    shape_ = {1, image.height, image.width, 3};
    device_.upload(photo_.template as<>(), image.pixels.data(), bytes);
  }

  [[nodiscard]] ConstView<std::uint8_t> photo() const { return {photo_.template as<std::uint8_t>(), shape_}; }

  // Nothing if the CPU has to take part; watch may then have been told of stages that are done once more.
  std::optional<std::vector<Face>> detect_on_card(const Image& image, const DetectorOptions& options,
                                                  const DetectorWatch& watch) {
    if (image.empty()) return std::nullopt;
    const std::vector<Level> levels = pyramid_levels(image.width, image.height, options.min_size, options.factor);
    const auto ended = [&](DetectorStage stage, int seen) {
      if (watch) watch({stage, static_cast<std::size_t>(seen), static_cast<std::size_t>(seen)});
    };
    const std::optional<CascadeNumbers> proposed = propose(image, levels, options.thresholds[0]);
    if (!proposed) return std::nullopt;
    ended(DetectorStage::pnet, static_cast<int>(levels.size()));
    ended(DetectorStage::proposals, proposed->rnet);
    judge_list(models_->rnet.net(), 24, rnet_list, lists_->rnet(), proposed->rnet);
    const auto refine = [&](Arena) { lists_->refine(options.thresholds[1]); };
    const CascadeNumbers refined = numbers_after({{}, {refining, options.thresholds[1]}}, 0, refine);
    if (refined.failed != 0) return std::nullopt;
    ended(DetectorStage::rnet, proposed->rnet);
    judge_list(models_->onet.net(), 48, onet_list, lists_->onet(), refined.onet);
    const auto decide = [&](Arena) { lists_->decide(options.thresholds[2]); };
    const CascadeNumbers decided = numbers_after({{}, {deciding, options.thresholds[2]}}, 0, decide);
    if (decided.failed != 0) return std::nullopt;
    std::vector<Face> faces = lists_->faces(decided.faces);
    put_best_first(faces, image.width, image.height);
    ended(DetectorStage::onet, refined.onet);
    return faces;
  }

  // Crops for R-Net. Nothing if a level enlarges the picture, or there are more levels or places than lists can have.
  std::optional<CascadeNumbers> propose(const Image& image, std::span<const Level> levels, float threshold) {
    if (levels.empty() || levels.size() > std::size_t{most_levels}) return std::nullopt;
    const Level& largest = levels.front();
    if (largest.width > image.width || largest.height > image.height) return std::nullopt;
    if (std::max(pnet_outputs(largest.width), pnet_outputs(largest.height)) > most_places) return std::nullopt;
    while (true) {
      const auto work = [&](Arena scratch) {
        search_levels(levels, threshold, lists_->finds(), scratch);
        lists_->propose(levels);
      };
      const CascadeNumbers numbers = numbers_after(
          {shape_,
           {proposing, threshold, static_cast<double>(levels.size()), levels.front().scale, levels.back().scale}},
          scratch_for(levels), work);
      if (numbers.found <= lists_->room()) return numbers.failed != 0 ? std::nullopt : std::optional(numbers);
      if (numbers.found > most_nms_boxes) return std::nullopt;
      make_room(std::min(static_cast<int>(std::bit_ceil(static_cast<unsigned>(numbers.found))), most_nms_boxes));
    }
  }

  // Graphs hold the lists' addresses.
  void make_room(int room) {
    pass_ = CudaPass(device_);
    lists_.reset();
    lists_.emplace(device_, room);
  }

  template <class Work>
  CascadeNumbers numbers_after(const CudaPass::Key& key, std::size_t scratch, const Work& work) {
    launch(key, scratch, work);
    return lists_->numbers();
  }
  template <class Work>
  void launch(const CudaPass::Key& key, std::size_t scratch, const Work& work) {
    pass_.run(key, {}, {}, scratch, [&](const std::byte*, std::byte*, Arena arena) { work(arena); });
  }

  // R- or O-Net on all crops of a list, whose number the host knows.
  template <class Net>
  void judge_list(const Net& net, int side, double kind, const CropList& list, int count) {
    for (int first = 0; first < count; first += most_crops) {
      const Shape in{batch_for(count - first), side, side, 3};
      const auto work = [&](Arena scratch) {
        const View<float> x = scratch.front(in), y = scratch.front(Net::out(in));
        resize_windows(device_, ResizeWindowsArgs{photo(), list.windows, x, list.judged, list.count});
        net.forward(device_, x, y, scratch);
        collect_rows(device_, CollectRowsArgs{y, list});
      };
      launch({in, {kind, static_cast<double>(shape_.w), static_cast<double>(shape_.h)}},
             bytes_of(in) + bytes_of(Net::out(in)) + Net::workspace(in), work);
    }
  }

  // Batches come in few sizes, so that few graphs are made.
  static int batch_for(int crops) { return crops <= 4 ? 4 : crops <= 32 ? 32 : most_crops; }

  // P-Net on floats of the host, for levels that enlarge the picture.
  ConstView<float> search(ConstView<float> x) {
    const View<float> y = rows(PNet::out(x.shape));
    const auto work = [&](const std::byte* from, std::byte* to, Arena scratch) {
      models_->pnet.net().forward(device_, ConstView<float>(reinterpret_cast<const float*>(from), x.shape),
                                  View<float>(reinterpret_cast<float*>(to), y.shape), scratch);
    };
    pass_.run({x.shape, {pnet}}, std::as_bytes(std::span(x.data, x.shape.size())),
              std::as_writable_bytes(std::span(y.data, y.shape.size())), PNet::workspace(x.shape), work);
    return y;
  }

  // Where things lie in what comes down of a number of levels.
  struct FindsLayout {
    std::size_t opposites, places;

    explicit FindsLayout(std::size_t count)
        : opposites(align_up((1 + count) * sizeof(int))), places(opposites + align_up(4 * count * sizeof(float))) {}

    [[nodiscard]] std::size_t bytes(int room) const {
      return places + static_cast<std::size_t>(room) * sizeof(PNetPlace);
    }
    [[nodiscard]] PNetFinds in(std::byte* memory, int room) const {
      auto* const counts = reinterpret_cast<int*>(memory);
      return {counts, counts + 1, reinterpret_cast<PNetPlace*>(memory + places), room,
              reinterpret_cast<float*>(memory + opposites)};
    }
  };

  // All levels in one go. There are rarely more places than there is room for; then it is made and all done again.
  std::vector<LevelHits> look(std::span<const Level> levels, float threshold) {
    const FindsLayout layout(levels.size());
    while (true) {
      found_.resize(layout.bytes(room_));
      const auto work = [&](const std::byte*, std::byte* to, Arena scratch) {
        search_levels(levels, threshold, layout.in(to, room_), scratch);
      };
      pass_.run({shape_,
                 {places, threshold, static_cast<double>(room_), static_cast<double>(levels.size()), levels[0].scale,
                  levels.back().scale}},
                {}, std::span(found_), scratch_for(levels), work);
      const PNetFinds finds = layout.in(found_.data(), room_);
      if (*finds.found <= room_) return by_level(levels.size(), finds);
      room_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(*finds.found)));
    }
  }

  // P-Net's places on all levels, in as few launches as they fit.
  void search_levels(std::span<const Level> levels, float threshold, const PNetFinds& to, Arena scratch) {
    for (std::size_t first = 0; first < levels.size(); first += most_levels) {
      PNetLevelsArgs args{.weights = models_->pnet_tiles.template as<const PNetCardWeights>(),
                          .first_level = static_cast<int>(first),
                          .threshold = threshold,
                          .to = to};
      ResizeLevelsArgs resize{.x = photo()};
      Arena rest = scratch;
      for (const Level& level : part_of(levels, first)) {
        LevelPixels pixels{nullptr, level.width, level.height};
        pixels.data = rest.front<std::uint8_t>({1, level.height, 1, pixels.pitch()}).data;
        resize.levels[resize.count++] = args.levels[args.count++] = pixels;
      }
      resize_levels(device_, resize);
      pnet_levels(device_, args);
      pnet_opposites(device_, args);
    }
  }

  static std::span<const Level> part_of(std::span<const Level> levels, std::size_t first) {
    return levels.subspan(first, std::min<std::size_t>(most_levels, levels.size() - first));
  }

  static std::size_t scratch_for(std::span<const Level> levels) {
    std::size_t most = 0;
    for (std::size_t first = 0; first < levels.size(); first += most_levels) {
      std::size_t bytes = 0;
      for (const Level& level : part_of(levels, first)) {
        bytes += align_up(LevelPixels{nullptr, level.width, level.height}.bytes());
      }
      most = std::max(most, bytes);
    }
    return most;
  }

  static std::vector<LevelHits> by_level(std::size_t levels, const PNetFinds& finds) {
    std::vector<LevelHits> hits(levels);
    for (const PNetPlace& place : std::span(finds.places, static_cast<std::size_t>(*finds.found))) {
      const float* r = place.regression;
      hits[static_cast<std::size_t>(place.level)].hits.push_back(
          {place.column, place.row, place.score, {r[0], r[1], r[2], r[3]}});
    }
    for (std::size_t i = 0; i < levels; ++i) {
      if (hits[i].hits.size() == 1) std::copy_n(finds.opposites + 4 * i, 4, hits[i].mirrored.begin());
    }
    return hits;
  }

  // R- or O-Net on crops of the picture; the last batch is filled up with its last crop.
  template <class Net>
  ConstView<float> judge(const Net& net, int side, double kind, std::span<const CropWindow> windows) {
    const Shape crop{1, side, side, 3}, all = Net::out(crop).images(static_cast<int>(windows.size()));
    std::vector<float> batch_rows;
    const View<float> y = rows(all);
    for (std::size_t first = 0; first < windows.size(); first += most_crops) {
      const std::size_t count = std::min<std::size_t>(most_crops, windows.size() - first);
      const Shape in = crop.images(batch_for(static_cast<int>(count))), out = Net::out(in);
      batch_.assign(windows.begin() + static_cast<std::ptrdiff_t>(first),
                    windows.begin() + static_cast<std::ptrdiff_t>(first + count));
      batch_.resize(static_cast<std::size_t>(in.n), batch_.back());
      batch_rows.resize(out.size());
      const auto work = [&](const std::byte* from, std::byte* to, Arena scratch) {
        const View<float> x = scratch.front(in);
        resize_windows(device_, ResizeWindowsArgs{photo(), reinterpret_cast<const CropWindow*>(from), x});
        net.forward(device_, x, View<float>(reinterpret_cast<float*>(to), out), scratch);
      };
      pass_.run({in, {kind, static_cast<double>(shape_.w), static_cast<double>(shape_.h)}},
                std::as_bytes(std::span(batch_)), std::as_writable_bytes(std::span(batch_rows)),
                bytes_of(in) + Net::workspace(in), work);
      std::copy_n(batch_rows.begin(), count * static_cast<std::size_t>(all.c), y.pixel(static_cast<int>(first), 0, 0));
    }
    return y;
  }

  View<float> rows(Shape shape) {
    rows_.resize(shape.size());
    return {rows_.data(), shape};
  }

  std::shared_ptr<const CudaMtcnn<Device>> models_;
  Device device_;
  CudaPass pass_;
  Buffer photo_;
  Shape shape_;
  int room_;
  std::optional<CudaCascade<Device>> lists_;
  std::vector<std::byte> found_;
  std::vector<CropWindow> batch_;
  std::vector<float> rows_;
  Networks networks_;
  Cascade cascade_;
};

// load_detector on any device that runs the sources of kernels/cuda. It computes in the device's arithmetic; the faces
// are the CPU's where that is fp32.
template <class Device>
[[nodiscard]] std::shared_ptr<const DetectorModel> load_cuda_detector(const Weights& mtcnn, const Device& device,
                                                                      int room = 4096) {
  auto models = std::make_shared<const CudaMtcnn<Device>>(device, mtcnn);
  require_only_mtcnn(mtcnn);
  return std::make_shared<const DetectorModel>([models = std::move(models), room](const Cpu& cpu, DetectorWay) {
    return std::make_unique<CudaDetector<Device>>(models, cpu, room);
  });
}

}  // namespace wajah
