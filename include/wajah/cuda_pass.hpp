// CudaPass: numbers go up to a card, kernels work on them, numbers come down. What the kernels are is captured once for
// each kind of work and then launched as one graph, because launching a hundred kernels one by one takes longer than a
// small batch computes.
#pragma once

#include <wajah/cuda.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace wajah {

class CudaPass {
 public:
  // What tells one capture from another: the shape of what is worked on, and numbers that say how.
  struct Key {
    Shape shape;
    std::array<double, 6> how{};

    friend bool operator==(const Key&, const Key&) = default;
  };

  // Works on this device's stream; nobody else may use that at the same time.
  explicit CudaPass(const Cuda& device) : device_(device) {}

  // Uploads x, does what work(on_card_x, on_card_y, scratch) launches on the device, and downloads y. The same key must
  // mean the same sizes and the same work. Allocates when one of the three is larger than all before. Throws Error
  // (device) if the card fails.
  template <class Work>
  void run(const Key& key, std::span<const std::byte> x, std::span<std::byte> y, std::size_t scratch,
           const Work& work) {
    reserve(x_, x.size());
    reserve(y_, y.size());
    reserve(scratch_, scratch);
    const CudaGraph& graph = graph_of(key, work);
    device_.upload(x_.as<>(), x.data(), x.size());
    graph.launch();
    device_.download(y.data(), y_.as<>(), y.size());
  }

  [[nodiscard]] std::size_t graphs() const { return graphs_.size(); }

 private:
  static constexpr std::size_t most_graphs = 64;  // kinds of work in use at once; more begin anew

  template <class Work>
  const CudaGraph& graph_of(const Key& key, const Work& work) {
    for (const auto& [known, graph] : graphs_) {
      if (known == key) return graph;
    }
    if (graphs_.size() == most_graphs) graphs_.clear();
    const auto launch = [&] { work(x_.as<const std::byte>(), y_.as<std::byte>(), scratch_.arena()); };
    launch();  // once for its own sake: a kernel's first launch loads it, which a capture must not
    return graphs_.emplace_back(key, device_.capture(launch)).second;
  }

  // Graphs hold addresses: none survives when memory moves.
  void reserve(Buffer& buffer, std::size_t bytes) {
    if (buffer.size() >= bytes) return;
    graphs_.clear();
    device_.wait();
    buffer = {};
    buffer = device_.allocate(bytes);
  }

  Cuda device_;
  Buffer x_, y_, scratch_;
  std::vector<std::pair<Key, CudaGraph>> graphs_;
};

}  // namespace wajah
