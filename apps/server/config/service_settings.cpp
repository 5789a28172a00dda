#include "server/config/service_settings.hpp"

#include "attendance/enrolment_checks.hpp"

namespace wajah::server {

attendance::AnalyserOptions analyser_options_of(const Settings& settings) {
  const auto& pipeline = settings.pipeline;
  attendance::AnalyserOptions options;
  options.enrol.min_size = static_cast<double>(pipeline.enrol_min_face);
  options.recognise.min_size = static_cast<double>(pipeline.recognise_min_face);
  options.max_faces = static_cast<std::size_t>(pipeline.max_faces);
  options.limits.max_pixels = static_cast<std::int64_t>(pipeline.max_megapixels * 1e6);
  options.keep_pictures = settings.privacy.keep_originals;
  if (settings.compat.ignore_exif) options.orientation = Orientation::ignored;
  return options;
}

attendance::ServiceOptions service_options_of(const Settings& settings, const ModelCard& card,
                                              const attendance::DataFolder& folder) {
  attendance::ServiceOptions options;
  options.log_folder = folder.log_folder();
  options.zone = settings.attendance.zone;
  options.accept = settings.match.accuracy;
  options.classifier.closed_set = settings.compat.closed_set;
  options.classifier.curve = card.curve;
  options.strictness = attendance::parse_strictness(settings.pipeline.strictness);
  return options;
}

}  // namespace wajah::server
