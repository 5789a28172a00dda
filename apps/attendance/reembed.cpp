// The part of the Service that follows a change of the model: kept pictures are embedded again, in the background, at
// the pace of enrolments. People come back as their pictures are done.
#include "attendance/service.hpp"

#include <condition_variable>
#include <utility>

namespace wajah::attendance {
namespace {

constexpr std::size_t pictures_at_a_time = 8;  // one transaction and one training

void pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
}

bool may_go_better_later(Cause cause) { return cause == Cause::busy || cause == Cause::late; }

}  // namespace

Reembedding Service::reembedding() const {
  const std::lock_guard lock(reembedding_mutex_);
  return reembedding_;
}

void Service::reembed_kept(const std::stop_token& stop) {
  try {
    PhotoId last = 0;
    while (!stop.stop_requested()) {
      const auto pictures = store_.pictures_without(engine_.model(), last, pictures_at_a_time);
      if (pictures.empty()) break;
      last = pictures.back().photo;
      const auto embeddings = reembed(pictures, stop);
      {
        const std::lock_guard lock(changes_);
        trainer_.add(store_.add_embeddings(engine_.model(), embeddings, options_.now()));
      }
      const std::lock_guard lock(reembedding_mutex_);
      reembedding_.done += pictures.size();
      reembedding_.failed += pictures.size() - embeddings.size();
    }
  } catch (const std::exception& error) {
    warn(
        fmt::format("kept pictures: embedding them again ended early: {}; it goes on at the next start", error.what()));
  }
  const std::lock_guard lock(reembedding_mutex_);
  reembedding_.running = false;
}

std::vector<StoredEmbedding> Service::reembed(std::span<const KeptPicture> pictures, const std::stop_token& stop) {
  std::vector<StoredEmbedding> embeddings;
  auto analyses = reanalyse(pictures, stop);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (!analyses[i]) continue;
    if (analyses[i]->faces.empty()) {
      warn(fmt::format("kept picture of photo {}: no face was found", pictures[i].photo));
      continue;
    }
    embeddings.push_back({pictures[i].photo, pictures[i].person, std::move(analyses[i]->faces.front().embedding)});
  }
  return embeddings;
}

// All workers at once; one by one only if something is wrong with one of them, or there is no room for all.
std::vector<std::optional<Analysis>> Service::reanalyse(std::span<const KeptPicture> pictures,
                                                        const std::stop_token& stop) {
  std::vector<Bytes> bytes;
  for (const KeptPicture& picture : pictures) bytes.emplace_back(picture.bytes);
  std::vector<std::optional<Analysis>> analyses;
  try {
    auto batch = engine_.analyse(bytes, Purpose::enrol, std::chrono::steady_clock::now() + options_.recognise_deadline);
    for (Analysis& analysis : batch.analyses) analyses.emplace_back(std::move(analysis));
  } catch (const Refusal&) {
    analyses.clear();
  }
  if (!analyses.empty()) return analyses;
  for (const KeptPicture& picture : pictures) analyses.push_back(reanalyse(picture, stop));
  return analyses;
}

std::optional<Analysis> Service::reanalyse(const KeptPicture& picture, const std::stop_token& stop) {
  const Bytes bytes = picture.bytes;
  while (!stop.stop_requested()) {
    try {
      auto batch =
          engine_.analyse({&bytes, 1}, Purpose::enrol, std::chrono::steady_clock::now() + options_.recognise_deadline);
      if (!batch.failure) return std::move(batch.analyses.front());
      std::rethrow_exception(batch.failure->error);
    } catch (const Refusal& refusal) {
      if (!may_go_better_later(refusal.cause())) return std::nullopt;
      pause(stop);
    } catch (const Error& error) {
      warn(fmt::format("kept picture of photo {}: {}", picture.photo, error.what()));
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace wajah::attendance
