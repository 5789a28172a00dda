// What every Store must do, written once. A store of another kind adds a fixture and calls check_store_contract().
#pragma once

#include "attendance/store.hpp"

#include <functional>
#include <memory>

namespace wajah::attendance::testing {

// `reopen` closes the store, if one is open, and opens it again on the same data; the first call starts with none.
void check_store_contract(const std::function<Store&()>& reopen);

[[nodiscard]] Digest digest_number(int number);
[[nodiscard]] NewPhoto new_photo(int number);
[[nodiscard]] Enrolment enrolment(std::string nik, std::string name, std::vector<int> photos, std::string model = "m1");

}  // namespace wajah::attendance::testing
