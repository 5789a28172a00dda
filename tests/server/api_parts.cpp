// Parts of /api/v1 by themselves: paths, times, the memory of answers, the feed, the mirror of the original's folders.
#include "api_site.hpp"
#include "check.hpp"
#include "server/api/idempotency.hpp"
#include "server/api/values.hpp"
#include "server/path.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace wajah::server {

TEST_CASE("templates take whole segments, decoded, and never an empty one") {
  const auto match = [](std::string_view path_template, std::string_view target) {
    const auto segments = segments_of(target);
    return segments ? match_path(path_template, *segments) : std::nullopt;
  };
  CHECK(match("/", "/").has_value());
  CHECK(match("/a/{id}/b", "/a/p%5F1/b/?x=1")->at("id") == "p_1");
  CHECK(match("/a/{id}", "http://host/a/x%2Fy")->at("id") == "x/y");
  CHECK(match("/m/{id}:activate", "/m/net+1:activate")->at("id") == "net+1");
  CHECK_FALSE(match("/m/{id}:activate", "/m/:activate").has_value());
  CHECK_FALSE(match("/a/{id}", "/a//").has_value());
  CHECK_FALSE(match("/a/{id}", "/a").has_value());
  CHECK_FALSE(match("/a", "/a/b").has_value());
  CHECK_FALSE(match("/a", "//a").has_value());
  CHECK_FALSE(segments_of("/%zz").has_value());
}

TEST_CASE("times are read back as they were written") {
  const attendance::Time at{std::chrono::seconds(1795309091)};
  for (const auto* zone : {"Asia/Jakarta", "Asia/Jayapura", "UTC", "America/St_Johns"}) {
    CHECK(parse_rfc3339(rfc3339(at, zone)) == at);
  }
  CHECK(rfc3339(at, "Asia/Jakarta") == "2026-11-22T07:58:11+07:00");
  CHECK(parse_rfc3339("2026-11-22T00:58:11Z") == at);
}

TEST_CASE("an answer is remembered for its time, in its room, and waited for while it is made") {
  using Kind = ReplyMemory::Verdict::Kind;
  const auto now = ReplyMemory::Clock::now();
  ReplyMemory memory(2, std::chrono::seconds(60));
  CHECK(memory.begin("a", "1", now).kind == Kind::fresh);
  memory.keep("a", json_reply(201, {{"x", 1}}));
  CHECK(memory.begin("a", "1", now).reply->body == R"({"x":1})");
  CHECK(memory.begin("a", "2", now).kind == Kind::reused);
  CHECK(memory.begin("a", "1", now + std::chrono::seconds(61)).kind == Kind::fresh);
  memory.forget("a");
  CHECK(memory.begin("a", "2", now).kind == Kind::fresh);
  memory.keep("a", empty_reply());
  for (const auto* key : {"b", "c"}) {
    CHECK(memory.begin(key, "1", now).kind == Kind::fresh);
    memory.keep(key, empty_reply());
  }
  CHECK(memory.begin("a", "2", now).kind == Kind::fresh);  // "a" was the oldest of three

  ReplyMemory waiting;
  CHECK(waiting.begin("k", "1", now).kind == Kind::fresh);
  std::thread second([&] { CHECK(waiting.begin("k", "1", now).kind == Kind::replay); });
  waiting.keep("k", empty_reply());
  second.join();
}

TEST_CASE("a listener hears what it wants, in order, and ends when it is too slow or the feed closes") {
  Feed feed;
  const auto source = feed.listen([](std::string_view event, std::string_view) {
    return event == "no" ? Feed::Wish::skip : event == "end" ? Feed::Wish::take_and_end : Feed::Wish::take;
  });
  int woken = 0;
  source->on_news([&] { ++woken; });
  CHECK(source->next().bytes.empty());
  feed.publish("a", "1");
  feed.publish("no", "2");
  feed.publish("end", "3");
  feed.publish("a", "4");
  const auto piece = source->next();
  CHECK(piece.bytes == "id: 1\nevent: a\ndata: 1\n\nid: 3\nevent: end\ndata: 3\n\n");
  CHECK(piece.last);
  CHECK(woken == 2);

  const auto slow = feed.listen([](auto, auto) { return Feed::Wish::take; });
  for (std::size_t i = 0; i <= Feed::most_waiting; ++i) feed.publish("a", "1");
  CHECK(slow->next().last);
  const auto closed = feed.listen([](auto, auto) { return Feed::Wish::take; });
  feed.close();
  CHECK(closed->next().last);
  CHECK(feed.listeners() == 3);
}

}  // namespace wajah::server
