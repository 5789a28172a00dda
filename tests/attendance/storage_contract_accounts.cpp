#include "storage_contracts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace wajah::attendance::testing {
namespace {

std::string with_last_character_changed(std::string text) {
  text.back() = text.back() == '0' ? '1' : '0';
  return text;
}

}  // namespace

void check_key_store(KeyStore& keys) {
  const Time now = at_second(1000);
  CHECK(keys.keys().empty());
  CHECK_FALSE(keys.check("wjh_0123456789ab_secret", now));

  INFO("the first start makes one admin key, and only one");
  const auto first = keys.issue_first(now);
  REQUIRE(first);
  CHECK(first->key.role == "admin");
  CHECK_FALSE(keys.issue_first(now));
  const auto admin = keys.check(first->text, now);
  REQUIRE(admin);
  CHECK(admin->id == first->key.id);

  INFO("a key says what it may");
  const auto kiosk =
      keys.issue({"gate", "kiosk", {"attendance:write", "recognize"}, "main", at_second(2000)}, at_second(1001));
  CHECK(kiosk.text.starts_with("wjh_" + kiosk.key.id + "_"));
  CHECK(kiosk.text.size() == 4 + kiosk.key.id.size() + 1 + 64);
  const auto found = keys.check(kiosk.text, at_second(1999));
  REQUIRE(found);
  CHECK(found->name == "gate");
  CHECK(found->role == "kiosk");
  CHECK(found->scopes == std::vector<std::string>{"attendance:write", "recognize"});
  CHECK(found->site == "main");
  CHECK(found->created_at == at_second(1001));
  CHECK(found->expires_at == at_second(2000));

  INFO("nothing but the whole text fits");
  for (const std::string& wrong :
       {std::string(), std::string("wjh_"), "wjh_" + kiosk.key.id, "wjh_" + kiosk.key.id + "_",
        with_last_character_changed(kiosk.text), kiosk.text + "0", kiosk.text.substr(0, kiosk.text.size() - 1),
        "wjh_" + first->key.id + kiosk.text.substr(4 + kiosk.key.id.size()), kiosk.text.substr(4),
        std::string("wjh_' OR 1=1 --_x"), "WJH" + kiosk.text.substr(3), std::string(100'000, 'x')}) {
    CHECK_FALSE(keys.check(wrong, now));
  }

  INFO("an expired key is refused from the second on");
  CHECK_FALSE(keys.check(kiosk.text, at_second(2000)));

  INFO("uses are told at once, and the latest of them");
  CHECK(keys.keys().at(1).last_used_at == at_second(1999));
  keys.flush_uses();
  CHECK(keys.check(kiosk.text, at_second(1500)));
  CHECK(keys.keys().at(1).last_used_at == at_second(1999));
  keys.flush_uses();
  CHECK(keys.keys().at(1).last_used_at == at_second(1999));

  INFO("a revoked key is refused at once, and stays in the list");
  CHECK(keys.revoke(kiosk.key.id, at_second(1700)));
  CHECK_FALSE(keys.check(kiosk.text, at_second(1701)));
  CHECK_FALSE(keys.revoke(kiosk.key.id, at_second(1800)));
  CHECK_FALSE(keys.revoke("nobody", now));
  CHECK(keys.keys().at(1).revoked_at == at_second(1700));
  CHECK(keys.check(first->text, at_second(1701)));

  INFO("ids and secrets never repeat");
  std::set<std::string> ids, texts;
  for (int i = 0; i < 50; ++i) {
    const auto issued = keys.issue({"k", "viewer", {}, "", {}}, at_second(1002));
    ids.insert(issued.key.id);
    texts.insert(issued.text.substr(issued.text.size() - 64));
  }
  CHECK(ids.size() == 50);
  CHECK(texts.size() == 50);
  CHECK(keys.keys().size() == 52);
}

void check_account_store(AccountStore& accounts) {
  const Time now = at_second(1000);
  CHECK(accounts.accounts().empty());
  CHECK_FALSE(accounts.log_in("sari", "", now));
  const auto sari = accounts.create({"sari", "benar kuda baterai", "hr", "main"}, now);
  REQUIRE(sari);
  CHECK_FALSE(accounts.create({"sari", "another", "admin", ""}, now));
  CHECK(sari->role == "hr");
  CHECK_FALSE(sari->last_login_at);

  INFO("log-in needs the name and the whole password");
  CHECK_FALSE(accounts.log_in("sari", "benar kuda bateraj", now));
  CHECK_FALSE(accounts.log_in("sari", "", now));
  CHECK_FALSE(accounts.log_in("SARI", "benar kuda baterai", now));
  const auto in = accounts.log_in("sari", "benar kuda baterai", at_second(1100));
  REQUIRE(in);
  CHECK(in->id == sari->id);
  CHECK(accounts.accounts().at(0).last_login_at == at_second(1100));

  INFO("sessions");
  const auto session = accounts.open_session(sari->id, now, std::chrono::seconds(60));
  CHECK(session.token.size() == 64);
  CHECK(session.csrf != session.token);
  const auto found = accounts.session(session.token, at_second(1059));
  REQUIRE(found);
  CHECK(found->account.name == "sari");
  CHECK(found->csrf == session.csrf);
  CHECK(found->expires_at == at_second(1060));
  CHECK_FALSE(accounts.session(session.token, at_second(1060)));
  CHECK_FALSE(accounts.session(session.csrf, now));
  CHECK_FALSE(accounts.session("", now));
  accounts.close_session(session.token);
  CHECK_FALSE(accounts.session(session.token, now));

  INFO("a new password or an end ends the sessions");
  const auto second = accounts.open_session(sari->id, now, std::chrono::hours(1));
  AccountChange change;
  change.role = "viewer";
  CHECK(accounts.update(sari->id, change)->role == "viewer");
  CHECK(accounts.session(second.token, now)->account.role == "viewer");
  change.password = "lain";
  REQUIRE(accounts.update(sari->id, change));
  CHECK_FALSE(accounts.session(second.token, now));
  CHECK_FALSE(accounts.log_in("sari", "benar kuda baterai", now));
  CHECK(accounts.log_in("sari", "lain", now));
  const auto third = accounts.open_session(sari->id, now, std::chrono::hours(1));
  AccountChange stop;
  stop.active = false;
  CHECK_FALSE(accounts.update(sari->id, stop)->active);
  CHECK_FALSE(accounts.session(third.token, now));
  CHECK_FALSE(accounts.log_in("sari", "lain", now));
  CHECK_FALSE(accounts.update(999, stop));

  INFO("removal and expiry");
  stop.active = true;
  REQUIRE(accounts.update(sari->id, stop));
  const auto fourth = accounts.open_session(sari->id, now, std::chrono::hours(1));
  accounts.remove_expired_sessions(at_second(1000 + 3599));
  CHECK(accounts.session(fourth.token, now));
  accounts.remove_expired_sessions(at_second(1000 + 3600));
  CHECK_FALSE(accounts.session(fourth.token, now));
  CHECK(accounts.remove(sari->id));
  CHECK_FALSE(accounts.remove(sari->id));
  CHECK_FALSE(accounts.log_in("sari", "lain", now));
}

}  // namespace wajah::attendance::testing
