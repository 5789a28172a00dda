#include "storage_contracts.hpp"

#include "store_contract.hpp"

#include <doctest/doctest.h>

namespace wajah::attendance::testing {

void check_audit_log(AuditLog& log) {
  CHECK(log.head() == AuditHead{});
  CHECK(log.verify().rows == 0);
  CHECK_FALSE(log.verify().broken_at);
  const auto first = log.append({at_second(1), "key:a", "person.create", 7, "NIK 1", R"({"name":"ANI"})"});
  const auto second = log.append({at_second(2), "cli", "key.revoke", std::nullopt, "key:b", "{}"});
  const auto third = log.append({at_second(3), "key:a", "person.rename", 7, "NIK 1", R"({"former":"ANI"})"});
  CHECK(first.id == 1);
  CHECK(third.id == 3);
  CHECK(log.head() == third);

  INFO("the newest come first, and filters hold");
  const auto all = log.rows({});
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == 3);
  CHECK(all[2].event.subject == "NIK 1");
  CHECK(all[2].event.detail == R"({"name":"ANI"})");
  CHECK(all[2].event.person == 7);
  CHECK_FALSE(all[1].event.person);
  CHECK(all[1].hash == second.hash);
  AuditQuery query;
  query.before = 3;
  query.limit = 1;
  CHECK(log.rows(query).at(0).id == 2);
  query = {};
  query.person = 7;
  CHECK(log.rows(query).size() == 2);
  query.action = "person.create";
  CHECK(log.rows(query).size() == 1);
  query = {};
  query.actor = "cli";
  CHECK(log.rows(query).size() == 1);
  query = {};
  query.from = at_second(2);
  query.to = at_second(3);
  CHECK(log.rows(query).at(0).id == 2);

  INFO("the chain holds, and a noted head is found in it");
  CHECK_FALSE(log.verify().broken_at);
  CHECK_FALSE(log.verify(second).broken_at);
  CHECK(log.verify(AuditHead{2, first.hash}).broken_at == 2);
  CHECK(log.verify(AuditHead{4, third.hash}).broken_at == 4);
  CHECK(log.verify().head == third);
}

void check_settings_store(SettingsStore& settings) {
  CHECK_FALSE(settings.get("match.accept"));
  settings.set("match.accept", "0.7", at_second(1));
  settings.set("match.accept", "0.8", at_second(2));
  settings.set("empty", "", at_second(2));
  CHECK(settings.get("match.accept") == "0.8");
  CHECK(settings.get("empty") == "");
  CHECK(settings.all().at("match.accept") == "0.8");
  CHECK(settings.unset("match.accept"));
  CHECK_FALSE(settings.unset("match.accept"));
  CHECK_FALSE(settings.get("match.accept"));
}

void check_consent_store(ConsentStore& consents, Store& gallery) {
  const auto ani = gallery.enrol(enrolment("1", "ANI", {1}))->person;
  CHECK_FALSE(consents.give(999, "v1", "page", at_second(1)));
  CHECK_FALSE(consents.in_force(ani.id));
  REQUIRE(consents.give(ani.id, "v1", "paper", at_second(1)));
  const auto second = consents.give(ani.id, "v2", "page", at_second(2));
  CHECK(consents.in_force(ani.id)->text_version == "v2");
  CHECK(consents.of(ani.id).size() == 2);
  CHECK(gallery.embeddings("m1").intact.size() == 1);

  INFO("whoever withdraws is matched no more, from that moment on");
  CHECK(consents.withdraw(ani.id, at_second(3)) == 2);
  CHECK_FALSE(consents.in_force(ani.id));
  CHECK(consents.of(ani.id).at(1).withdrawn_at == at_second(3));
  CHECK(gallery.embeddings("m1").intact.empty());
  CHECK_FALSE(gallery.record({at_second(4), "1", ani.id, 1, 1}));
  CHECK(gallery.enrol(enrolment("1", "ANI", {2}))->fault == EnrolFault::inactive);
  CHECK(gallery.enrol(enrolment("1", "ANI BARU", {2}))->added.empty());
  CHECK(gallery.find("1")->name == "ANI");
  CHECK(consents.withdraw(ani.id, at_second(5)) == 0);

  INFO("consents go with the person");
  REQUIRE(gallery.remove("1", "ANI"));
  CHECK(consents.of(ani.id).empty());
}

void check_webhook_store(WebhookStore& webhooks, Store& gallery) {
  const auto ani = gallery.enrol(enrolment("1", "ANI", {1}))->person;
  const auto all = webhooks.add({0, "https://a.example", "s1", {"*"}, true, at_second(1)});
  const auto some =
      webhooks.add({0, "https://b.example", "s2", {"person.created", "event.created"}, true, at_second(1)});
  const auto idle = webhooks.add({0, "https://c.example", "s3", {"*"}, false, at_second(1)});
  CHECK(webhooks.webhooks().size() == 3);
  CHECK(webhooks.webhooks().at(1).events == some.events);
  CHECK_FALSE(webhooks.next_due());

  INFO("whoever wants an event gets it, once");
  CHECK(webhooks.enqueue("event.created", R"({"n":1})", ani.id, at_second(10)) == 2);
  CHECK(webhooks.enqueue("key.revoked", "{}", std::nullopt, at_second(11)) == 1);
  CHECK(webhooks.due(at_second(9), 10).empty());
  CHECK(webhooks.next_due() == at_second(10));
  auto due = webhooks.due(at_second(12), 10);
  REQUIRE(due.size() == 3);
  CHECK(due[0].webhook.secret == "s1");
  CHECK(due[0].delivery.payload == R"({"n":1})");
  INFO("each webhook has places of its own");
  CHECK(webhooks.due(at_second(12), 1).size() == 2);

  INFO("delivered, tried again, given up");
  webhooks.delivered(due[0].delivery.id, at_second(13));
  webhooks.failed(due[1].delivery.id, "500", at_second(20), at_second(13));
  webhooks.failed(due[2].delivery.id, "gone", std::nullopt, at_second(13));
  CHECK(webhooks.due(at_second(19), 10).empty());
  CHECK(webhooks.next_due() == at_second(20));
  const auto again = webhooks.due(at_second(20), 10);
  REQUIRE(again.size() == 1);
  CHECK(again[0].delivery.attempts == 1);
  CHECK(again[0].delivery.error == "500");
  CHECK(webhooks.deliveries(all.id, 10).at(0).state == DeliveryState::given_up);
  CHECK(webhooks.deliveries(all.id, 10).at(1).state == DeliveryState::delivered);

  INFO("a webhook that does not answer is put off as a whole");
  CHECK(webhooks.enqueue("event.created", "{}", std::nullopt, at_second(15)) == 2);
  webhooks.postpone(all.id, at_second(25));
  CHECK(webhooks.due(at_second(24), 10).size() == 2);
  for (const auto& waiting : webhooks.due(at_second(24), 10)) CHECK(waiting.webhook.id == some.id);
  CHECK(webhooks.due(at_second(25), 10).size() == 3);
  for (const auto& waiting : webhooks.due(at_second(25), 10)) {
    if (waiting.delivery.id != again[0].delivery.id) webhooks.delivered(waiting.delivery.id, at_second(26));
  }

  INFO("a webhook that is switched off waits");
  WebhookChange off;
  off.active = false;
  CHECK_FALSE(webhooks.update(some.id, off)->active);
  CHECK(webhooks.update(some.id, off)->url == some.url);
  CHECK_FALSE(webhooks.update(999, off));
  CHECK(webhooks.due(at_second(30), 10).empty());
  CHECK_FALSE(webhooks.next_due());
  off.active = true;
  REQUIRE(webhooks.update(some.id, off));

  INFO("what is about a person goes with them");
  REQUIRE(gallery.remove("1", "ANI"));
  CHECK(webhooks.due(at_second(30), 10).empty());
  CHECK(webhooks.deliveries(all.id, 10).size() == 2);
  CHECK(webhooks.remove_ended_before(at_second(13)) == 0);
  CHECK(webhooks.remove_ended_before(at_second(14)) == 1);
  CHECK(webhooks.remove_ended_before(at_second(27)) == 2);
  INFO("what has waited so long is as good as over");
  CHECK(webhooks.enqueue("event.created", "{}", std::nullopt, at_second(40)) == 2);
  CHECK(webhooks.remove_ended_before(at_second(40)) == 0);
  CHECK(webhooks.remove_ended_before(at_second(41)) == 2);
  CHECK(webhooks.remove(idle.id));
  CHECK_FALSE(webhooks.remove(idle.id));
}

void check_job_store(JobStore& jobs) {
  auto import = jobs.create("import", 100, at_second(1));
  const auto train = jobs.create("train", 1, at_second(2));
  CHECK(import.state == JobState::queued);
  CHECK(jobs.jobs(10).at(0).id == train.id);
  import.state = JobState::running;
  import.done = 40;
  import.updated_at = at_second(3);
  CHECK(jobs.save(import));
  CHECK(jobs.job(import.id)->done == 40);
  CHECK(jobs.job(import.id)->state == JobState::running);
  CHECK_FALSE(jobs.job(999));
  import.id = 999;
  CHECK_FALSE(jobs.save(import));

  INFO("what a restart interrupted has failed");
  CHECK(jobs.fail_unfinished(R"({"error":"restart"})", at_second(4)) == 2);
  CHECK(jobs.job(train.id)->state == JobState::failed);
  CHECK(jobs.job(train.id)->result == R"({"error":"restart"})");
  CHECK(jobs.fail_unfinished("{}", at_second(5)) == 0);
  CHECK(jobs.remove_ended_before(at_second(4)) == 0);
  CHECK(jobs.remove_ended_before(at_second(5)) == 2);
}

}  // namespace wajah::attendance::testing
