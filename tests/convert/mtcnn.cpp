// MTCNN's conversion: the transposition of its kernels, and the three files told apart.
#include <doctest/doctest.h>
#include <wajah/convert/mtcnn.hpp>
#include <wajah/convert/pickle_npy.hpp>

#include <algorithm>
#include <cstring>

#include "check.hpp"
#include "convert/files.hpp"

namespace wajah {
namespace {

struct Field {
  const char* layer;
  const char* field;
  std::vector<std::int64_t> shape;
};

// What the genuine files hold, written down once more.
const std::vector<Field> det1 = {{"conv1", "weights", {3, 3, 3, 10}},
                                 {"conv1", "biases", {10}},
                                 {"PReLU1", "alpha", {10}},
                                 {"conv2", "weights", {3, 3, 10, 16}},
                                 {"conv2", "biases", {16}},
                                 {"PReLU2", "alpha", {16}},
                                 {"conv3", "weights", {3, 3, 16, 32}},
                                 {"conv3", "biases", {32}},
                                 {"PReLU3", "alpha", {32}},
                                 {"conv4-1", "weights", {1, 1, 32, 2}},
                                 {"conv4-1", "biases", {2}},
                                 {"conv4-2", "weights", {1, 1, 32, 4}},
                                 {"conv4-2", "biases", {4}}};
const std::vector<Field> det2 = {{"conv1", "weights", {3, 3, 3, 28}},
                                 {"conv1", "biases", {28}},
                                 {"prelu1", "alpha", {28}},
                                 {"conv2", "weights", {3, 3, 28, 48}},
                                 {"conv2", "biases", {48}},
                                 {"prelu2", "alpha", {48}},
                                 {"conv3", "weights", {2, 2, 48, 64}},
                                 {"conv3", "biases", {64}},
                                 {"prelu3", "alpha", {64}},
                                 {"conv4", "weights", {576, 128}},
                                 {"conv4", "biases", {128}},
                                 {"prelu4", "alpha", {128}},
                                 {"conv5-1", "weights", {128, 2}},
                                 {"conv5-1", "biases", {2}},
                                 {"conv5-2", "weights", {128, 4}},
                                 {"conv5-2", "biases", {4}}};
const std::vector<Field> det3 = {{"conv1", "weights", {3, 3, 3, 32}},
                                 {"conv1", "biases", {32}},
                                 {"prelu1", "alpha", {32}},
                                 {"conv2", "weights", {3, 3, 32, 64}},
                                 {"conv2", "biases", {64}},
                                 {"prelu2", "alpha", {64}},
                                 {"conv3", "weights", {3, 3, 64, 64}},
                                 {"conv3", "biases", {64}},
                                 {"prelu3", "alpha", {64}},
                                 {"conv4", "weights", {2, 2, 64, 128}},
                                 {"conv4", "biases", {128}},
                                 {"prelu4", "alpha", {128}},
                                 {"conv5", "weights", {1152, 256}},
                                 {"conv5", "biases", {256}},
                                 {"prelu5", "alpha", {256}},
                                 {"conv6-1", "weights", {256, 2}},
                                 {"conv6-1", "biases", {2}},
                                 {"conv6-2", "weights", {256, 4}},
                                 {"conv6-2", "biases", {4}},
                                 {"conv6-3", "weights", {256, 10}},
                                 {"conv6-3", "biases", {10}}};

// Each value is its own index.
std::string file_of(const std::vector<Field>& fields) {
  pickle::Layers layers;
  for (const Field& field : fields) {
    if (layers.empty() || layers.back().first != field.layer) layers.push_back({field.layer, {}});
    std::vector<float> values(*element_count(field.shape));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    layers.back().second.push_back({field.field, pickle::floats(field.shape, values)});
  }
  return pickle::file(layers);
}

struct Files {
  TemporaryFolder folder;
  std::filesystem::path first = folder.write("det1.npy", file_of(det1));
  std::filesystem::path second = folder.write("det2.npy", file_of(det2));
  std::filesystem::path third = folder.write("det3.npy", file_of(det3));
};

TEST_CASE("kernels and the rows after a flatten are turned to the upright image") {
  const Files files;
  const Weights weights = convert_mtcnn(files.first, files.second, files.third);
  CHECK(weights.metadata().at("architecture") == "mtcnn");
  CHECK(weights.names().size() == det1.size() + det2.size() + det3.size());

  const Values kernel = weights.get("pnet/conv2/weights", {3, 3, 10, 16});
  const auto stored = [](int first, int second, int in, int out) {
    return static_cast<float>(((first * 3 + second) * 10 + in) * 16 + out);
  };
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      const auto at = static_cast<std::size_t>(((y * 3 + x) * 10 + 7) * 16 + 5);
      CHECK(kernel[at] == stored(x, y, 7, 5));
    }
  }
  const Values rows = weights.get("onet/conv5/weights", {1152, 256});
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      const auto row = [](int outer, int inner) { return static_cast<std::size_t>((outer * 3 + inner) * 128 + 77); };
      CHECK(rows[row(y, x) * 256 + 9] == static_cast<float>(row(x, y) * 256 + 9));
    }
  }
  CHECK(weights.get("rnet/conv5-2/weights", {128, 4})[17] == 17);
  CHECK(weights.get("pnet/PReLU1/alpha", {10})[3] == 3);
  CHECK(weights.get("onet/conv6-3/biases", {10})[9] == 9);
}

TEST_CASE("files in the wrong order, with a layer too few or too many, are refused") {
  const Files files;
  const auto refused = [](const char* message, const auto& first, const auto& second, const auto& third) {
    check_refused(message, message, [&] { static_cast<void>(convert_mtcnn(first, second, third)); });
  };
  refused("det2.npy: tensor 'conv1/weights' has shape [3, 3, 3, 28], expected [3, 3, 3, 10]", files.second, files.first,
          files.third);
  refused("det2.npy: tensor 'conv1/weights' has shape [3, 3, 3, 28], expected [3, 3, 3, 32]", files.first, files.second,
          files.second);
  refused("missing.npy: cannot be opened", files.folder / "missing.npy", files.second, files.third);

  std::vector<Field> fewer(det1.begin(), det1.end() - 2), more = det1;
  more.push_back({"conv5", "biases", {4}});
  const auto short_file = files.folder.write("short.npy", file_of(fewer));
  const auto long_file = files.folder.write("long.npy", file_of(more));
  refused("short.npy: no tensor 'conv4-2/weights' of shape [1, 1, 32, 4]; similar: 'conv4-1/weights'", short_file,
          files.second, files.third);
  refused("long.npy: holds 'conv5/biases' and 0 more tensors that pnet does not have", long_file, files.second,
          files.third);
}

TEST_CASE("the genuine weights lose no number") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto folder = *data / "mtcnn";
  const Weights weights = convert_mtcnn(folder / "det1.npy", folder / "det2.npy", folder / "det3.npy");
  const Weights stored = read_pickled_npy(folder / "det2.npy");
  auto got = weights.raw("rnet/conv4/weights"), expected = stored.raw("conv4/weights");
  std::vector<float> a(got.size()), b(expected.size());
  std::memcpy(a.data(), got.bytes.data(), got.bytes.size());
  std::memcpy(b.data(), expected.bytes.data(), expected.bytes.size());
  CHECK(a != b);
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  CHECK(a == b);
}

}  // namespace
}  // namespace wajah
