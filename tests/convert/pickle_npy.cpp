// The closed pickle reader: the genuine files' language, and everything else refused.
#include <doctest/doctest.h>
#include <wajah/convert/npy.hpp>
#include <wajah/convert/pickle_npy.hpp>

#include <algorithm>
#include <array>

#include "check.hpp"
#include "convert/files.hpp"

namespace wajah {
namespace {

using namespace std::string_literals;

const std::array<std::int64_t, 1> three = {3};
const std::array<std::int64_t, 2> two_by_three = {2, 3};

std::string good_file() {
  const std::string fortran = pickle::array(pickle::shape(two_by_three), pickle::dtype("f4", "<"), pickle::yes,
                                            pickle::text(bytes_of(std::array{0.0F, 3.0F, 1.0F, 4.0F, 2.0F, 5.0F})));
  return pickle::file({{"conv1", {{"weights", fortran}, {"biases", pickle::floats(three, counting(3))}}},
                       {"prelu1", {{"alpha", pickle::floats(three, counting(3, 7))}}}});
}

void read(const std::filesystem::path& file) { static_cast<void>(read_pickled_npy(file)); }

TEST_CASE("layers are read, column-major ones turned") {
  const TemporaryFolder folder;
  const Weights weights = read_pickled_npy(folder.write("det.npy", good_file()));
  CHECK(weights.names() == std::vector<std::string>{"conv1/biases", "conv1/weights", "prelu1/alpha"});
  const Values turned = weights.get("conv1/weights", two_by_three);
  for (std::size_t i = 0; i < 6; ++i) CHECK(turned[i] == static_cast<float>(i));
  CHECK(weights.get("prelu1/alpha", {3})[2] == 7.25F);
}

// Every opcode of the genuine files that the writers above do not use: short strings and unicode, small tuples and
// integers, the memo, SETITEM.
TEST_CASE("all 27 opcodes are known") {
  const std::string reconstruct =
      "cnumpy._core.multiarray\n_reconstruct\nq\x01"
      "cnumpy\nndarray\nq\x02K\0\x85U\x01"
      "b\x87Rq\x03"s;
  const std::string type =
      "cnumpy\ndtype\nq\x04U\x02"
      "f4K\0K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"s;
  const std::string empty =
      "h\x01h\x02K\0\x85U\x01"
      "b\x87R(K\x01M\x01\0K\x02\x86h\x05\x89U\x08"s +
      bytes_of(counting(2)) + "tb";
  const std::string first = reconstruct + "(K\x01K\x02\x85"s + type + "\x88T\x08\0\0\0"s + bytes_of(counting(2)) + "tb";
  const std::string layers = "}X\x05\0\0\0conv1q\x06}(U\x07weightsq\x07"s + first +
                             "U\x06"
                             "biases" +
                             empty + "us";
  const TemporaryFolder folder;
  const Weights weights = read_pickled_npy(folder.write("det.npy", pickle::file_of(layers)));
  CHECK(weights.get("conv1/weights", {2})[1] == 0.125F);
  CHECK(weights.get("conv1/biases", {1, 2})[1] == 0.125F);
}

TEST_CASE("a pickle that could do anything else is refused") {
  struct Case {
    const char* name;
    std::string object;  // in the place of the dictionary of layers
    const char* message;
  };
  const std::string system = "cos\nsystem\n(T\x02\0\0\0idtR"s;
  const auto array = [](const std::string& shape, const std::string& type, const std::string& data) {
    return pickle::dictionary({{"conv1", {{"weights", pickle::array(shape, type, pickle::no, data)}}}});
  };
  const std::string f4 = pickle::dtype("f4", "<");
  const std::string twelve = pickle::text(std::string(12, 'x'));
  std::string many = "(";
  for (int i = 0; i < 5000; ++i) many += "N";
  const std::vector<Case> cases = {
      {"os.system", system,
       "global 'system' of module 'os' is refused, expected only numpy's _reconstruct, ndarray and dtype"},
      {"eval", pickle::global("builtins", "eval"), "global 'eval' of module 'builtins' is refused"},
      {"another numpy function", pickle::global("numpy", "load"), "global 'load' of module 'numpy' is refused"},
      {"newline in a name", "c" + std::string(100, 'a') + "\nb\n", "module name at byte"},
      {"INST", "(ios\nsystem\n", "opcode 0x69 INST is refused"},
      {"OBJ", "(o", "opcode 0x6f OBJ is refused"},
      {"STACK_GLOBAL", "\x93", "opcode 0x93 STACK_GLOBAL is refused"},
      {"NEWOBJ", "\x81", "opcode 0x81 NEWOBJ is refused"},
      {"EXT1", "\x82\x01", "opcode 0x82 EXT1 is refused"},
      {"PERSID", "Pfile\n", "opcode 0x50 PERSID is refused"},
      {"LONG", "L1L\n", "opcode 0x4c is refused; MTCNN's own files need none of that"},
      {"DUP", "2", "opcode 0x32 is refused"},
      {"LONG_BINPUT", "r\xff\xff\xff\x7f", "opcode 0x72 is refused"},
      {"calls ndarray", pickle::global("numpy", "ndarray") + "(K\1tR", "calls something else than"},
      {"reconstructs a dtype",
       pickle::global("numpy.core.multiarray", "_reconstruct") + "(" + pickle::global("numpy", "dtype") + "K\1U\1btR",
       "calls something else than"},
      {"calls a string", pickle::text("x") + ")R", "calls something else than"},
      {"state of a dictionary", "}(K\1tb", "sets the state of something that is neither an array nor a dtype"},
      {"state that is no tuple", f4 + "Nb", "sets a state that is no tuple"},
      {"state twice", f4 + "(NNNNNNNNtb", "a state of 8 parts, expected one of 8"},
      {"state too short", pickle::global("numpy", "dtype") + "(" + pickle::text("f4") + "K\0K\1tR(K\3tb"s,
       "a state of 1 parts, expected one of 8"},
      {"4 GB string", "T\xff\xff\xff\xff", "string at byte"},
      {"memo never filled", "h\x09", "memo 9 was never filled"},
      {"takes below a mark", "N(\x85", "takes a value from an empty stack"},
      {"key without value", "}(Nu", "sets a key without a value"},
      {"items of a list", "](NNu", "sets items of something that is no dictionary"},
      {"append to a dictionary", "}Na", "appends to something that is no list"},
      {"depth bomb", std::string(100'000, '('), "nests deeper than 64"},
      {"tuple bomb",
       [] {
         std::string s = ")";
         for (int i = 0; i < 100'000; ++i) s += '\x85';
         return s;
       }(),
       "more than 4096 values"},
      {"value bomb", many + "t", "more than 4096 values"},
      {"no dictionary", "N", "the layers: expected a dictionary"},
      {"layer is no dictionary", "}(" + pickle::text("conv1") + "Nu", "layer 'conv1': expected a dictionary"},
      {"key is no text", "}(NNu", "the layers: expected keys that are strings"},
      {"key too long", "}(" + pickle::text(std::string(65, 'a')) + "}u", "keys that are strings of at most 64 bytes"},
      {"no array", pickle::dictionary({{"conv1", {{"weights", "N"}}}}),
       "tensor 'conv1/weights': expected a numpy array"},
      {"array without state",
       pickle::dictionary({{"conv1",
                            {{"weights", pickle::global("numpy.core.multiarray", "_reconstruct") + "(" +
                                             pickle::global("numpy", "ndarray") + ")U\1btR"}}}}),
       "tensor 'conv1/weights': expected a numpy array"},
      {"float64", array(pickle::shape(three), pickle::dtype("f8", "<"), twelve),
       "tensor 'conv1/weights': expected numbers of dtype f4, not 'f8'"},
      {"big-endian", array(pickle::shape(three), pickle::dtype("f4", ">"), twelve),
       "tensor 'conv1/weights': expected little-endian numbers"},
      {"dtype is none", array(pickle::shape(three), "N", twelve), "expected a numpy dtype of version 3"},
      {"shape is no tuple", array("K\3", f4, twelve), "tensor 'conv1/weights': expected a shape"},
      {"shape of text", array("(" + pickle::text("3") + "t", f4, twelve), "expected a shape of whole numbers"},
      {"data too short", array(pickle::shape(std::array<std::int64_t, 1>{4}), f4, twelve),
       "tensor 'conv1/weights' has 12 bytes, which do not make the shape [4] of float32"},
      {"negative", array(pickle::shape(std::array<std::int64_t, 2>{-1, -3}), f4, twelve),
       "do not make the shape [-1, -3]"},
      {"huge", array(pickle::shape(std::vector<std::int64_t>(4, 0x7FFFFFFF)), f4, twelve),
       "do not make the shape [2147483647, 2147483647, 2147483647, 2147483647]"},
      {"9 dimensions", array(pickle::shape(std::vector<std::int64_t>(9, 1)), f4, pickle::text("1234")),
       "has 9 dimensions, expected at most 8"},
      {"data is a list", array(pickle::shape(three), f4, "]"), "expected its numbers as a string of bytes"},
      {"field twice",
       pickle::dictionary(
           {{"conv1", {{"b", pickle::floats(three, counting(3))}, {"b", pickle::floats(three, counting(3))}}}}),
       "tensor 'conv1/b' is given twice"},
  };
  const TemporaryFolder folder;
  for (const Case& each : cases) {
    const auto file = folder.write("bad.npy", pickle::file_of(each.object));
    check_refused(each.name, each.message, [&] { read(file); });
  }
}

TEST_CASE("what surrounds the dictionary is checked as well") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& bytes, const char* message) {
    const auto file = folder.write("bad.npy", bytes);
    check_refused(message, message, [&] { read(file); });
  };
  refused(object_header + "\x80\x04.", "protocol 4, expected 2");
  refused(object_header + pickle::protocol + "\x87", "takes a value from an empty stack");
  refused(object_header + pickle::protocol + "q\x01", "takes a value from an empty stack");
  refused(object_header + pickle::protocol + "Nt", "closes a tuple or dictionary that was not begun");
  refused(object_header + pickle::protocol + "NN.", "ends with 2 values, expected one");
  refused(object_header + pickle::protocol + ".", "ends with 0 values, expected one");
  refused(good_file() + "x", "1 bytes follow the end");
  refused(object_header + pickle::protocol + "N.", "the pickled array: expected a numpy array");
  refused(object_header + pickle::protocol + pickle::floats(three, counting(3)) + ".",
          "expected a scalar array that holds one dictionary");
  refused(npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (), }") + "1234",
          "holds an array of type '<f4' and shape []");
  refused(npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"),
          "type '|O' and shape [2], expected the scalar");
}

// One string under many names: small in the file, large in memory.
TEST_CASE("a string shared by many arrays is refused") {
  std::string fields = "}(U\1a}(";
  const std::array<std::int64_t, 1> shape = {2500};
  std::string data = pickle::text(std::string(10'000, 'x')) + "q\x09";
  for (int i = 0; i < 3; ++i) {
    fields += pickle::text(std::to_string(i)) +
              pickle::array(pickle::shape(shape), pickle::dtype("f4", "<"), pickle::no, data);
    data = "h\x09";
  }
  const TemporaryFolder folder;
  const auto file = folder.write("bad.npy", pickle::file_of(fields + "uu"));
  check_refused("shared", "tensor 'a/1': expected tensors that together are no larger than the file",
                [&] { read(file); });
}

TEST_CASE("a damaged pickle opens or is refused") {
  const TemporaryFolder folder;
  check_damaged(folder, good_file(), 1, read);
}

TEST_CASE("the genuine files are read, and refused when cut") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const TemporaryFolder folder;
  CHECK(read_pickled_npy(*data / "mtcnn/det1.npy").names().size() == 13);
  CHECK(read_pickled_npy(*data / "mtcnn/det2.npy").names().size() == 16);
  CHECK(read_pickled_npy(*data / "mtcnn/det3.npy").names().size() == 21);
  check_damaged(folder, read_all(*data / "mtcnn/det1.npy"), 97, read);
}

}  // namespace
}  // namespace wajah
