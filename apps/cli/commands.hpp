// The list of commands, in the order the help shows them. A new one is a file of its own, its name here and in
// main.cpp.
#pragma once

#include "cli/command.hpp"

namespace wajah::cli {

extern const Command serve_command;
extern const Command detect_command;
extern const Command align_command;
extern const Command embed_command;
extern const Command verify_command;
extern const Command enrol_command;
extern const Command recognise_command;
extern const Command people_command;
extern const Command attendance_command;
extern const Command export_command;
extern const Command import_command;
extern const Command keys_command;
extern const Command train_command;
extern const Command predict_command;
extern const Command evaluate_command;
extern const Command calibrate_command;
extern const Command convert_command;
extern const Command models_command;
extern const Command bench_command;
extern const Command cert_command;
extern const Command doctor_command;
extern const Command version_command;

}  // namespace wajah::cli
