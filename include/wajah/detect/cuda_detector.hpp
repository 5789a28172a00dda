// CudaDetector: the cascade with a picture that goes up to the card once. There its pyramid is made and searched by
// P-Net, and its crops are cut out and judged by R- and O-Net; boxes, and what covers what, are the CPU's work.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/cuda_pass.hpp>
#include <wajah/detect/cascade.hpp>
#include <wajah/detect/detector_model.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

namespace wajah {

template <class Device>
struct CudaMtcnn {
  CudaMtcnn(const Device& device, const Weights& weights)
      : pnet(device, weights.scope("pnet")), rnet(device, weights.scope("rnet")), onet(device, weights.scope("onet")) {}

  Model<PNet, Device> pnet;
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
    if (!image.empty()) show(image);
    if (watch) watch({DetectorStage::upload, 0, 0});
    return cascade_.run(image, options, networks_, watch);
  }

 private:
  static constexpr int strip_pixels = 1 << 20;  // of a level, that go through P-Net at once: some 60 MB of maps
  static constexpr int most_crops = 256;
  static constexpr double places = 0, pnet = 1, rnet = 2, onet = 3;  // kinds of work

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

  // All levels in one go. There are rarely more places than there is room for; then it is made and all done again.
  std::vector<LevelHits> look(std::span<const Level> levels, float threshold) {
    while (true) {
      found_.resize(alignment + static_cast<std::size_t>(room_) * sizeof(PNetPlace));
      const auto work = [&](const std::byte*, std::byte* to, Arena scratch) {
        PNetPlacesArgs args{.threshold = threshold,
                            .found = reinterpret_cast<int*>(to),
                            .places = reinterpret_cast<PNetPlace*>(to + alignment),
                            .room = room_,
                            .anew = true};
        for (std::size_t i = 0; i < levels.size(); ++i) {
          args.level = static_cast<int>(i);
          for (const LevelStrip& strip : strips_of(levels[i], strip_pixels)) look_at(levels[i], strip, args, scratch);
        }
      };
      pass_.run({shape_,
                 {places, threshold, static_cast<double>(room_), static_cast<double>(levels.size()), levels[0].scale,
                  levels.back().scale}},
                {}, std::span(found_), scratch_for(levels), work);
      int found = 0;
      std::memcpy(&found, found_.data(), sizeof found);
      if (found <= room_) return by_level(levels.size(), found);
      room_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(found)));
    }
  }

  void look_at(const Level& level, const LevelStrip& strip, PNetPlacesArgs& args, Arena scratch) {
    const Shape in{1, strip.bottom - strip.top, level.width, 3};
    const View<float> x = scratch.front(in), y = scratch.front(PNet::out(in));
    resize_windows(device_, ResizeWindowsArgs{photo(), nullptr, x, level.height, strip.top, true});
    models_->pnet.net().forward(device_, x, y, scratch);
    args.x = y;
    args.first_row = strip.first_row;
    pnet_places(device_, args);
    args.anew = false;
  }

  static std::size_t scratch_for(std::span<const Level> levels) {
    std::size_t most = 0;
    for (const Level& level : levels) {
      for (const LevelStrip& strip : strips_of(level, strip_pixels)) {
        const Shape in{1, strip.bottom - strip.top, level.width, 3};
        most = std::max(most, bytes_of(in) + bytes_of(PNet::out(in)) + PNet::workspace(in));
      }
    }
    return most;
  }

  [[nodiscard]] std::vector<LevelHits> by_level(std::size_t levels, int found) const {
    std::vector<LevelHits> hits(levels);
    for (int i = 0; i < found; ++i) {
      PNetPlace place;
      std::memcpy(&place, found_.data() + alignment + static_cast<std::size_t>(i) * sizeof place, sizeof place);
      LevelHits& level = hits[static_cast<std::size_t>(place.level)];
      const float* r = place.regression;
      level.hits.push_back({place.column, place.row, place.score, {r[0], r[1], r[2], r[3]}});
      std::ranges::copy(place.opposite, level.mirrored.begin());
    }
    return hits;
  }

  // R- or O-Net on crops of the picture. Batches come in few sizes, so that few graphs are made; the last is filled up
  // with its last crop.
  template <class Net>
  ConstView<float> judge(const Net& net, int side, double kind, std::span<const CropWindow> windows) {
    const Shape crop{1, side, side, 3}, all = Net::out(crop).images(static_cast<int>(windows.size()));
    std::vector<float> batch_rows;
    const View<float> y = rows(all);
    for (std::size_t first = 0; first < windows.size(); first += most_crops) {
      const std::size_t count = std::min<std::size_t>(most_crops, windows.size() - first);
      const Shape in = crop.images(count <= 4 ? 4 : count <= 32 ? 32 : most_crops), out = Net::out(in);
      batch_.assign(windows.begin() + static_cast<std::ptrdiff_t>(first),
                    windows.begin() + static_cast<std::ptrdiff_t>(first + count));
      batch_.resize(static_cast<std::size_t>(in.n), batch_.back());
      batch_rows.resize(out.size());
      const auto work = [&](const std::byte* from, std::byte* to, Arena scratch) {
        const View<float> x = scratch.front(in);
        resize_windows(device_,
                       ResizeWindowsArgs{photo(), reinterpret_cast<const CropWindow*>(from), x, side, 0, false});
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
