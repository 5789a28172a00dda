// libsvm's text files around its models, for tests: training data and svm-predict's output.
#pragma once

#include "svm/data.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace wajah::svm::test {

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// One row a line: "label 1:value 2:value ...", zeros left out.
inline std::string to_libsvm(const Data& data) {
  std::string text;
  for (std::size_t r = 0; r < data.rows(); ++r) {
    text += fmt::format("{}", data.y[r]);
    for (std::size_t i = 0; i < data.d; ++i)
      if (data.row(r)[i] != 0) text += fmt::format(" {}:{}", i + 1, data.row(r)[i]);
    text += '\n';
  }
  return text;
}

inline Data from_libsvm(const std::string& text, std::size_t d) {
  Data data{d, {}, {}};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    words >> data.y.emplace_back();
    std::vector<float> row(d);
    std::size_t index = 0;
    char colon = 0;
    for (float value = 0; words >> index >> colon >> value;) row.at(index - 1) = value;
    data.x.insert(data.x.end(), row.begin(), row.end());
  }
  return data;
}

// What svm-predict -b 1 prints: the labels in the model's order, then a label and k probabilities a row.
struct Predictions {
  std::vector<int> order, labels;
  std::vector<double> probabilities;
};

inline Predictions read_predictions(const std::filesystem::path& file) {
  Predictions p;
  std::istringstream lines(read_text(file));
  std::string line, word;
  std::getline(lines, line);
  std::istringstream head(line);
  head >> word;
  for (int label = 0; head >> label;) p.order.push_back(label);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    words >> p.labels.emplace_back();
    for (double value = 0; words >> value;) p.probabilities.push_back(value);
  }
  return p;
}

}  // namespace wajah::svm::test
