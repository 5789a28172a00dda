// libsvm's text format for models: what svm-train writes and svm-predict reads.
#pragma once

#include <wajah/svm/svm.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace wajah::svm {

// The model as libsvm's text, every number with the digits that give it back exactly. The first support vector names
// its last column even where it is 0, because the format has no other place for the width of a row.
[[nodiscard]] std::string write_libsvm(const Svm& svm);

// Reads a model of type c_svc with a linear or rbf kernel. `name` is what messages call the text. `columns`: how wide
// the rows are that the model will be asked about; rows are sparse in the file, so columns that are 0 in every support
// vector need not appear there. 0: as wide as the file says. Features are kept as float, everything else as double.
// Throws Error(model) with one sentence naming the line, what came and what was expected, for whatever is not such a
// model; nothing is allocated that the size of the text does not warrant.
[[nodiscard]] Svm read_libsvm(std::string_view text, std::string_view name, std::size_t columns = 0);

}  // namespace wajah::svm
