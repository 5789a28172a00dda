#include <wajah/error.hpp>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <numeric>

namespace wajah {
namespace {

constexpr std::size_t max_tensors = 65536;

struct TypeInfo {
  std::size_t size;
  std::string_view name;
};

constexpr std::array<TypeInfo, 8> type_infos = {{
    {4, "float32"},
    {2, "float16"},
    {2, "bfloat16"},
    {8, "float64"},
    {1, "int8"},
    {1, "uint8"},
    {4, "int32"},
    {8, "int64"},
}};

// memcpy because a file may place a tensor at any byte.
template <class T>
T element(const Tensor& tensor, std::size_t index) {
  T value;
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) return std::copysign(std::ldexp(static_cast<float>(fraction), -24), std::bit_cast<float>(sign));
  const std::uint32_t widened = exponent == 0x1F ? 0xFFU : exponent + 112U;
  return std::bit_cast<float>(sign | (widened << 23U) | (fraction << 13U));
}

template <class Read>
std::vector<float> convert(const Tensor& tensor, Read read) {
  std::vector<float> values(tensor.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = read(i);
  return values;
}

bool aligned_for_float(const Tensor& tensor) {
  return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
}

Values float_values(const Tensor& t, std::shared_ptr<const void> owner) {
  switch (t.type) {
    case DataType::f32:
      if (aligned_for_float(t)) {
        return Values(std::span(reinterpret_cast<const float*>(t.bytes.data()), t.size()), std::move(owner));
      }
      return Values(convert(t, [&](std::size_t i) { return element<float>(t, i); }));
    case DataType::f16:
      return Values(convert(t, [&](std::size_t i) { return half_to_float(element<std::uint16_t>(t, i)); }));
    case DataType::bf16:
      return Values(convert(t, [&](std::size_t i) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(element<std::uint16_t>(t, i)) << 16U);
      }));
    default: return Values(convert(t, [&](std::size_t i) { return static_cast<float>(element<double>(t, i)); }));
  }
}

Values scaled_values(const Tensor& tensor, std::span<const float> scale) {
  return Values(convert(tensor, [&](std::size_t i) {
    return static_cast<float>(element<std::int8_t>(tensor, i)) * scale[i % scale.size()];
  }));
}

// Uniform noise of variance 1 / (fan-in), from a generator seeded by the tensor's path (splitmix64, Vigna 2015). All
// but the last dimension of a kernel are summed over; vectors (biases, slopes) are small.
Values invent(std::uint64_t seed, std::string_view path, std::span<const std::int64_t> shape) {
  std::uint64_t state = seed;
  for (const char c : path) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  const std::size_t count = element_count(shape).value_or(0);
  const std::size_t outputs = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
  const double fan_in = shape.size() > 1 ? static_cast<double>(count / outputs) : 300.0;
  const double range = std::sqrt(3.0 / fan_in);
  std::vector<float> values(count);
  for (float& value : values) {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    value = static_cast<float>(range * (static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-52 - 1.0));
  }
  return Values(std::move(values));
}

bool is_finite(float value) { return (std::bit_cast<std::uint32_t>(value) & 0x7F800000U) != 0x7F800000U; }

// A whole pass without a branch first: 23 million weights take milliseconds, and only a bad file pays for the search.
std::optional<std::size_t> first_not_finite(std::span<const float> values) {
  bool bad = false;
  for (const float value : values) bad |= !is_finite(value);
  if (!bad) return std::nullopt;
  return static_cast<std::size_t>(std::find_if_not(values.begin(), values.end(), is_finite) - values.begin());
}

// Levenshtein's distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

// At most three names that a typing mistake or a changed number would turn into `wanted`. Looks at a bounded part of
// the set, because a hostile file may hold many long names.
std::vector<std::string> similar_names(std::string_view wanted, const std::vector<std::string>& names) {
  constexpr std::size_t names_looked_at = 4096, longest_name = 256;
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& name : std::span(names).first(std::min(names.size(), names_looked_at))) {
    if (std::max(name.size(), wanted.size()) > longest_name) continue;
    const std::size_t distance = edit_distance(wanted, name);
    if (distance * 3 <= wanted.size()) found.emplace_back(distance, quote(name));
  }
  std::sort(found.begin(), found.end());
  found.resize(std::min<std::size_t>(found.size(), 3));
  std::vector<std::string> similar;
  for (auto& [distance, name] : found) similar.push_back(std::move(name));
  return similar;
}

[[noreturn]] void fail_missing(const Weights& weights, std::string_view path, std::string_view expected) {
  const std::vector<std::string> names = weights.names();
  const std::vector<std::string> similar = similar_names(path, names);
  const std::string hint =
      similar.empty() ? fmt::format("none of its {} tensors is named alike, is it of another network?", names.size())
                      : fmt::format("similar: {}", fmt::join(similar, ", "));
  fail(ErrorKind::model, "{}: no tensor {}{}; {}", weights.source(), quote(path), expected, hint);
}

}  // namespace

std::size_t size_of(DataType type) { return type_infos.at(static_cast<std::size_t>(type)).size; }
std::string_view name_of(DataType type) { return type_infos.at(static_cast<std::size_t>(type)).name; }

std::optional<std::size_t> element_count(std::span<const std::int64_t> shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t d) { return d < 0; })) return std::nullopt;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(dimension), &count)) return std::nullopt;
  }
  return count;
}

std::size_t Tensor::size() const { return bytes.size() / size_of(type); }

struct Weights::Set {
  struct Entry {
    explicit Entry(Tensor t) : tensor(std::move(t)) {}
    Tensor tensor;
    std::atomic<bool> used = false;  // networks may load from several threads
  };

  std::string source;
  std::map<std::string, std::string> metadata;
  std::map<std::string, Entry, std::less<>> entries;
  std::vector<std::vector<std::byte>> owned;
  std::vector<std::shared_ptr<const void>> kept;
  std::optional<std::uint64_t> invented;  // the seed of a set that has no tensors of its own
};

Weights::Weights() : set_(std::make_shared<Set>()) {}
Weights::Weights(std::shared_ptr<Set> set, std::string prefix) : set_(std::move(set)), prefix_(std::move(prefix)) {}

std::string Weights::path_of(std::string_view name) const {
  return prefix_.empty() ? std::string(name) : fmt::format("{}/{}", prefix_, name);
}

const Tensor* Weights::find(std::string_view path) const {
  const auto found = set_->entries.find(path);
  if (found == set_->entries.end()) return nullptr;
  found->second.used.store(true, std::memory_order_relaxed);
  return &found->second.tensor;
}

Weights Weights::invented(std::uint64_t seed) {
  auto set = std::make_shared<Set>();
  set->source = "invented weights";
  set->invented = seed;
  return Weights(std::move(set));
}

Weights Weights::scope(std::string_view name) const { return Weights(set_, path_of(name)); }

bool Weights::has(std::string_view name) const { return set_->entries.contains(path_of(name)); }

const Tensor& Weights::raw(std::string_view name) const {
  const std::string path = path_of(name);
  const Tensor* tensor = find(path);
  if (tensor == nullptr) fail_missing(*this, path, "");
  return *tensor;
}

Values Weights::get(std::string_view name, std::span<const std::int64_t> shape) const {
  const std::string path = path_of(name);
  if (set_->invented) return invent(*set_->invented, path, shape);
  const Tensor* tensor = find(path);
  if (tensor == nullptr) fail_missing(*this, path, fmt::format(" of shape {}", shape_text(shape)));
  if (!std::ranges::equal(tensor->shape, shape)) {
    fail(ErrorKind::model, "{}: tensor {} has shape {}, expected {}", source(), quote(path), shape_text(tensor->shape),
         shape_text(shape));
  }
  if (tensor->type == DataType::i8) {
    const std::int64_t channels = shape.empty() ? 1 : shape.back();
    return scaled_values(*tensor, get(fmt::format("{}.scale", name), {channels}).span());
  }
  if (size_of(tensor->type) == 1 || tensor->type == DataType::i32 || tensor->type == DataType::i64) {
    fail(ErrorKind::model, "{}: tensor {} holds {}, expected float32, float16, bfloat16, float64 or int8 with a scale",
         source(), quote(path), name_of(tensor->type));
  }
  Values values = float_values(*tensor, set_);
  if (const std::optional<std::size_t> bad = first_not_finite(values.span())) {
    fail(ErrorKind::model, "{}: tensor {} has the value {} at element {}, expected finite numbers", source(),
         quote(path), values[*bad], *bad);
  }
  return values;
}

std::vector<std::string> Weights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : set_->entries) names.push_back(name);
  return names;
}

std::vector<std::string> Weights::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : set_->entries) {
    if (!entry.used.load(std::memory_order_relaxed)) names.push_back(name);
  }
  return names;
}

std::vector<std::pair<std::string_view, Tensor>> Weights::tensors() const {
  std::vector<std::pair<std::string_view, Tensor>> tensors;
  for (const auto& [name, entry] : set_->entries) tensors.emplace_back(name, entry.tensor);
  return tensors;
}

const std::string& Weights::source() const { return set_->source; }
const std::map<std::string, std::string>& Weights::metadata() const { return set_->metadata; }

Weights Weights::with_metadata(const std::map<std::string, std::string>& entries) const {
  Builder builder(source());
  builder.keep(set_);
  for (const auto& [name, tensor] : tensors()) {
    builder.view(std::string(name), tensor.type, tensor.shape, tensor.bytes);
  }
  for (const auto& [key, value] : metadata()) builder.metadata(key, value);
  for (const auto& [key, value] : entries) builder.metadata(key, value);
  Weights same = std::move(builder).build();
  same.set_->invented = set_->invented;
  return same;
}

Weights::Builder::Builder(std::string source) : set_(std::make_shared<Set>()) { set_->source = std::move(source); }

Weights::Builder& Weights::Builder::view(std::string name, DataType type, std::vector<std::int64_t> shape,
                                         std::span<const std::byte> bytes) {
  if (shape.size() > max_rank) {
    fail(ErrorKind::model, "{}: tensor {} has {} dimensions, expected at most {}", set_->source, quote(name),
         shape.size(), max_rank);
  }
  const std::optional<std::size_t> count = element_count(shape);
  if (!count || bytes.size() % size_of(type) != 0 || bytes.size() / size_of(type) != *count) {
    fail(ErrorKind::model, "{}: tensor {} has {} bytes, which do not make the shape {} of {}", set_->source,
         quote(name), bytes.size(), shape_text(shape), name_of(type));
  }
  if (set_->entries.size() >= max_tensors) {
    fail(ErrorKind::model, "{}: more than {} tensors; is it a model of wajah's?", set_->source, max_tensors);
  }
  const auto [entry, added] = set_->entries.try_emplace(std::move(name), Tensor{type, std::move(shape), bytes});
  if (!added) fail(ErrorKind::model, "{}: tensor {} is given twice", set_->source, quote(entry->first));
  return *this;
}

Weights::Builder& Weights::Builder::add(std::string name, DataType type, std::vector<std::int64_t> shape,
                                        std::vector<std::byte> bytes) {
  set_->owned.push_back(std::move(bytes));
  return view(std::move(name), type, std::move(shape), set_->owned.back());
}

Weights::Builder& Weights::Builder::add(std::string name, std::vector<std::int64_t> shape,
                                        std::span<const float> values) {
  const std::span<const std::byte> bytes = std::as_bytes(values);
  return add(std::move(name), DataType::f32, std::move(shape), std::vector<std::byte>(bytes.begin(), bytes.end()));
}

Weights::Builder& Weights::Builder::keep(std::shared_ptr<const void> owner) {
  set_->kept.push_back(std::move(owner));
  return *this;
}

Weights::Builder& Weights::Builder::metadata(std::string key, std::string value) {
  set_->metadata.insert_or_assign(std::move(key), std::move(value));
  return *this;
}

Weights Weights::Builder::build() && { return Weights(std::move(set_)); }

namespace {

// FNV-1a over 8-byte words with a shift after each: eight times fewer dependent multiplications than over bytes, and
// the shift brings the high bits back down, which multiplication alone never does.
class Hash {
 public:
  void add(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x100000001B3U;
    state_ ^= state_ >> 32U;
  }
  void add(std::span<const std::byte> bytes) {
    add(bytes.size());
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) add(word_of(bytes.first(8)));
    if (!bytes.empty()) add(word_of(bytes));
  }
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  static std::uint64_t word_of(std::span<const std::byte> bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    return word;
  }

  std::uint64_t state_ = 0xCBF29CE484222325U;
};

}  // namespace

std::uint64_t fingerprint(const Weights& weights) {
  Hash hash;
  for (const auto& [name, tensor] : weights.tensors()) {
    hash.add(std::as_bytes(std::span(name)));
    hash.add(static_cast<std::uint64_t>(tensor.type));
    hash.add(std::as_bytes(std::span(tensor.shape)));
    hash.add(tensor.bytes);
  }
  return hash.value();
}

}  // namespace wajah
