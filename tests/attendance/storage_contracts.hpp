// What every store of administration must do, written once for each interface. Another kind of store adds a fixture.
#pragma once

#include "attendance/storage/account_store.hpp"
#include "attendance/storage/audit_log.hpp"
#include "attendance/storage/consent_store.hpp"
#include "attendance/storage/job_store.hpp"
#include "attendance/storage/key_store.hpp"
#include "attendance/storage/people_store.hpp"
#include "attendance/storage/settings_store.hpp"
#include "attendance/storage/webhook_store.hpp"

namespace wajah::attendance::testing {

// Each gets stores without content. `gallery` is the Store on the same data.
void check_key_store(KeyStore& keys);
void check_account_store(AccountStore& accounts);
void check_audit_log(AuditLog& log);
void check_settings_store(SettingsStore& settings);
void check_consent_store(ConsentStore& consents, Store& gallery);
void check_webhook_store(WebhookStore& webhooks, Store& gallery);
void check_job_store(JobStore& jobs);
void check_people_store(PeopleStore& people, Store& gallery);

[[nodiscard]] inline Time at_second(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

}  // namespace wajah::attendance::testing
