// The attendance service in this process, on a data folder that no server is using.
#pragma once

#include "attendance/data_folder.hpp"
#include "attendance/engine.hpp"
#include "attendance/photo_file.hpp"
#include "attendance/service.hpp"
#include "attendance/sqlite_store.hpp"
#include "cli/devices.hpp"
#include "cli/options.hpp"
#include "server/config/settings.hpp"

#include <wajah/recognizer.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace wajah::cli {

class Attendance {
 public:
  // Loads the models, then opens --data; decides as a server with those settings would. For enrolling, all threads work
  // on different photos and no classifier is trained, since this process recognises nobody. Throws Error (model), and
  // Error (storage) if a server has the folder.
  Attendance(const CommonOptions& options, attendance::Purpose purpose, const server::Settings& settings);

  [[nodiscard]] attendance::Service& service() { return service_; }
  [[nodiscard]] attendance::Store& store() { return store_; }
  [[nodiscard]] attendance::Database& database() { return database_; }

 private:
  Devices devices_;
  std::shared_ptr<const Models> models_;
  attendance::DataFolder folder_;
  attendance::Database database_;
  attendance::SqliteStore store_;
  attendance::Engine engine_;
  attendance::Service service_;
};

// Throws Error (input) unless --data is a folder already: who only reads must not make one.
void require_data_folder(const CommonOptions& options);

using attendance::read_photo;

}  // namespace wajah::cli
