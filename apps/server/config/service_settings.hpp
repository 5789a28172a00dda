// What the settings say to the attendance service, whichever program runs it.
#pragma once

#include "attendance/analyser.hpp"
#include "attendance/data_folder.hpp"
#include "attendance/service.hpp"
#include "server/config/settings.hpp"

#include <wajah/embed/embedder.hpp>

namespace wajah::server {

// How photos are looked at.
[[nodiscard]] attendance::AnalyserOptions analyser_options_of(const Settings& settings);

// Log folder, zone, acceptance, decision and checks; deadlines and warnings are the program's. Throws Error (usage).
[[nodiscard]] attendance::ServiceOptions service_options_of(const Settings& settings, const ModelCard& card,
                                                            const attendance::DataFolder& folder);

}  // namespace wajah::server
