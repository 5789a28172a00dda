// What every RecordStore must do, written once. A store of another kind adds a fixture and calls
// check_record_store_contract().
#pragma once

#include "attendance/records/record_store.hpp"
#include "attendance/store.hpp"

#include <functional>

namespace wajah::attendance::testing {

// An empty RecordStore and the Store of the people it refers to. `reopen` closes both and opens them again on the same
// data.
struct StorePair {
  Store* people = nullptr;
  RecordStore* records = nullptr;
};

void check_record_store_contract(const std::function<StorePair()>& reopen);

}  // namespace wajah::attendance::testing
