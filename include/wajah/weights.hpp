// Weights: named tensors of a model file, read with a scope: w.scope("conv1").get("weights", {3, 3, 3, 10}).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wajah {

enum class DataType : std::uint8_t { f32, f16, bf16, f64, i8, u8, i32, i64 };

[[nodiscard]] std::size_t size_of(DataType type);
[[nodiscard]] std::string_view name_of(DataType type);

// Product of the dimensions (1 for a scalar); nothing if one is negative or the product does not fit. Every reader asks
// this before it multiplies: 2^32 x 2^32 must not wrap around to 0.
[[nodiscard]] std::optional<std::size_t> element_count(std::span<const std::int64_t> shape);

// One tensor as a file stores it: row-major, little-endian; the bytes belong to the Weights it came from.
struct Tensor {
  DataType type = DataType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  [[nodiscard]] std::size_t size() const;  // elements; 1 for a scalar
};

// float32 values of a tensor: a look into the mapped file (which stays mapped as long) where it stores float32, otherwise
// converted and owned.
class Values {
 public:
  Values(std::span<const float> mapped, std::shared_ptr<const void> owner) : owner_(std::move(owner)), view_(mapped) {}
  explicit Values(std::vector<float> converted) : owned_(std::move(converted)), view_(owned_) {}
  Values(Values&&) noexcept = default;
  Values& operator=(Values&&) noexcept = default;
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  ~Values() = default;

  [[nodiscard]] std::span<const float> span() const { return view_; }
  [[nodiscard]] const float* data() const { return view_.data(); }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  float operator[](std::size_t i) const { return view_[i]; }

 private:
  std::shared_ptr<const void> owner_;
  std::vector<float> owned_;
  std::span<const float> view_;
};

// A shared, const set of named tensors; copying shares it. Names are paths: scope("a").scope("b") reads "a/b/...".
class Weights {
 public:
  static constexpr std::size_t max_rank = 8;  // dimensions of a tensor; networks use up to 4

  Weights();  // empty

  // How readers, converters and tests make a set.
  class Builder;

  // A set that invents every tensor it is asked for: noise of mean 0, scaled so that values neither vanish nor explode
  // on their way through a network; the same for a name and a seed. For benchmarks and tests, which need no file.
  [[nodiscard]] static Weights invented(std::uint64_t seed = 1);

  // Names of this set below `name`. Costs nothing; an unknown scope shows when get() fails.
  [[nodiscard]] Weights scope(std::string_view name) const;

  // Values of tensor `name`, whose shape must be `shape`; int8 tensors are multiplied by the tensor "<name>.scale" of
  // the last dimension's length. Throws Error naming the tensor, what came, what was expected, and similar names; also
  // on integer types that are no weights, and on NaN or infinity.
  [[nodiscard]] Values get(std::string_view name, std::span<const std::int64_t> shape) const;
  [[nodiscard]] Values get(std::string_view name, std::initializer_list<std::int64_t> shape) const {
    return get(name, std::span(shape.begin(), shape.size()));
  }

  [[nodiscard]] bool has(std::string_view name) const;

  // The tensor as stored, without conversion (counts as used). Throws Error when there is none.
  [[nodiscard]] const Tensor& raw(std::string_view name) const;

  // Every tensor name of the whole set, sorted, and those that no get() or raw() has asked for: a model that leaves
  // tensors over was given the wrong file.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::string> unused() const;

  // Every tensor of the whole set by name, in order; does not count as used.
  [[nodiscard]] std::vector<std::pair<std::string_view, Tensor>> tensors() const;

  // What the file was called and its metadata (safetensors' __metadata__), for messages and model cards.
  [[nodiscard]] const std::string& source() const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;

  // The same tensors with these entries added to the metadata, in place of those of the same keys.
  [[nodiscard]] Weights with_metadata(const std::map<std::string, std::string>& entries) const;

 private:
  struct Set;
  explicit Weights(std::shared_ptr<Set> set, std::string prefix = {});
  [[nodiscard]] std::string path_of(std::string_view name) const;
  [[nodiscard]] const Tensor* find(std::string_view path) const;

  std::shared_ptr<Set> set_;
  std::string prefix_;

  friend class Builder;
};

// Collects tensors. add() copies or takes them, view() only points at bytes, which keep() keeps alive as long as the
// set. All throw Error (model) on a name given twice, bytes that do not match the shape, or more than 65,536 tensors.
class Weights::Builder {
 public:
  explicit Builder(std::string source);
  Builder& add(std::string name, std::vector<std::int64_t> shape, std::span<const float> values);
  Builder& add(std::string name, DataType type, std::vector<std::int64_t> shape, std::vector<std::byte> bytes);
  Builder& view(std::string name, DataType type, std::vector<std::int64_t> shape, std::span<const std::byte> bytes);
  Builder& keep(std::shared_ptr<const void> owner);
  Builder& metadata(std::string key, std::string value);
  [[nodiscard]] Weights build() &&;

 private:
  std::shared_ptr<Set> set_;
};

// A hash of every name, type, shape and byte: embeddings made with different weights cannot be compared, so they carry
// this. The same for a .pb and the .safetensors converted from it. Tells files apart; proves nothing against forgery.
[[nodiscard]] std::uint64_t fingerprint(const Weights& weights);

// Memory-maps a .safetensors file (huggingface/safetensors, format of 2022: 8-byte length, JSON header, data). Every
// offset is checked against the file before use. Throws Error (model) on anything the format does not allow: a header
// above 100 MB, a key given twice, tensors that overlap or leave a hole, a type that wajah does not know.
[[nodiscard]] Weights read_safetensors(const std::filesystem::path& file);

// Writes all tensors and the metadata of `weights`, bit for bit; the same set gives the same file. The data starts at a
// multiple of 64 bytes, and so does every tensor whose size is one. Atomic: see write_file. Throws Error (storage).
void write_safetensors(const Weights& weights, const std::filesystem::path& file);

}  // namespace wajah
