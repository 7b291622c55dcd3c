#include "runner/services/run_services.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <atomic>
#include <thread>

#include "executors/base/base64.h"
#include "executors/base/fs.h"
#include "executors/base/http.h"
#include "runner/services/wire.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

struct Answer {
  int status = 0;
  std::string body;
  HttpResponse response;
  Json json() const { return Json::parse(body, nullptr, false); }
};

JobFacts facts(const std::string& key, const std::string& run = "100", const std::string& ref = "refs/heads/main") {
  JobFacts facts;
  facts.run = run;
  facts.key = key;
  facts.workflow = "w.yml";
  facts.github = {{"repository", "o/r"}, {"repository_owner", "o"}, {"ref", ref}, {"event_name", "push"}, {"server_url", "https://github.com"},
                  {"sha", "abc"}, {"run_id", run}, {"event", {{"repository", {{"default_branch", "main"}}}}}};
  return facts;
}

/// A client with one job's environment.
class Job {
 public:
  explicit Job(Environment environment) : environment_(std::move(environment)) {}

  std::string base() const { return environment_.at("ACTIONS_RESULTS_URL"); }
  const std::string& token() const { return environment_.at("ACTIONS_RUNTIME_TOKEN"); }
  const Environment& environment() const { return environment_; }

  Answer send(const std::string& method, const std::string& url, const std::string& body = {},
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.body = body;
    request.headers = std::move(headers);
    auto response = client_->perform(request);
    if (!response) return {.status = 0, .body = response.error().to_string(), .response = {}};
    return {.status = response->status, .body = response->body, .response = *response};
  }

  Answer api(const std::string& method, const std::string& path, const std::string& body = {},
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    headers.emplace_back("Authorization", "Bearer " + token());
    headers.emplace_back("Content-Type", "application/json");
    return send(method, base() + path, body, std::move(headers));
  }

  Answer twirp(const std::string& method, Json request) {
    const std::string service = method.find("Cache") != std::string::npos ? "CacheService" : "ArtifactService";
    return api("POST", "twirp/github.actions.results.api.v1." + service + "/" + method, request.dump());
  }

  Json ids() const {
    const auto text = decode_base64(token().substr(token().find('.') + 1, token().rfind('.') - token().find('.') - 1), Base64::url);
    const auto scope = Json::parse(*text)["scp"].get<std::string>();
    const auto first = scope.find(':'), last = scope.rfind(':');
    return {{"workflow_run_backend_id", scope.substr(first + 1, last - first - 1)}, {"workflow_job_run_backend_id", scope.substr(last + 1)}};
  }

  Json with_ids(Json more) const {
    more.update(ids());
    return more;
  }

  Answer create(const std::string& name) { return twirp("CreateArtifact", with_ids({{"name", name}, {"version", 4}})); }

  Answer put(const std::string& url, const std::string& text) { return send("PUT", url, text, {{"x-ms-blob-type", "BlockBlob"}}); }

  Answer upload(const std::string& name, const std::string& text) {
    const auto created = create(name);
    if (created.status != 200) return created;
    const auto put_it = put(created.json()["signed_upload_url"], text);
    if (put_it.status != 201) return put_it;
    return twirp("FinalizeArtifact", with_ids({{"name", name}, {"size", std::to_string(text.size())}}));
  }

  Answer download(const std::string& name) {
    const auto listed = twirp("ListArtifacts", with_ids({{"name_filter", name}}));
    if (listed.status != 200 || listed.json()["artifacts"].empty()) return listed;
    const Json artifact = listed.json()["artifacts"].back();
    const auto signed_url = twirp("GetSignedArtifactURL", {{"workflow_run_backend_id", artifact["workflow_run_backend_id"]},
                                                           {"workflow_job_run_backend_id", artifact["workflow_job_run_backend_id"]},
                                                           {"name", name}});
    if (signed_url.status != 200) return signed_url;
    return send("GET", signed_url.json()["signed_url"]);
  }

  Answer save(const std::string& key, const std::string& text, const std::string& version = "v") {
    const auto created = twirp("CreateCacheEntry", {{"key", key}, {"version", version}});
    if (created.status != 200) return created;
    const auto put_it = put(created.json()["signed_upload_url"], text);
    if (put_it.status != 201) return put_it;
    return twirp("FinalizeCacheEntryUpload", {{"key", key}, {"version", version}, {"size_bytes", std::to_string(text.size())}});
  }

  std::string restore(const std::string& key, std::vector<std::string> more = {}, const std::string& version = "v") {
    const auto found = twirp("GetCacheEntryDownloadURL", {{"key", key}, {"restore_keys", more}, {"version", version}});
    if (found.status != 200) return std::to_string(found.status);
    if (!found.json()["ok"].get<bool>()) return "none";
    return found.json()["matched_key"].get<std::string>() + "=" + send("GET", found.json()["signed_download_url"]).body;
  }

 private:
  Environment environment_;
  std::shared_ptr<HttpClient> client_ = make_curl_client();
};

struct Place {
  explicit Place(ServiceLimits limits = {}) : directory(*TempDir::create()), limits(limits) { start("100"); }
  void start(const std::string& run, const std::string& resumed = {}, std::vector<std::string> attempts = {}) {
    services.reset();
    auto started = RunServices::start({.store_root = directory.path(), .run = run, .resumed = resumed, .attempts = std::move(attempts), .limits = limits});
    REQUIRE(started.ok());
    services = std::move(*started);
  }
  Job job(const JobFacts& facts) { return Job(services->environment_for(facts)); }

  TempDir directory;
  ServiceLimits limits;
  std::unique_ptr<RunServices> services;
};

}  // namespace

TEST_CASE("a job finds the services in its environment, always with the same token") {
  Place place;
  const auto environment = place.services->environment_for(facts("a"));
  CHECK(environment.at("ACTIONS_RESULTS_URL").starts_with("http://127.0.0.1:"));
  CHECK(environment.at("ACTIONS_CACHE_SERVICE_V2") == "true");
  CHECK_FALSE(environment.contains("ACTIONS_ID_TOKEN_REQUEST_URL"));
  CHECK(place.services->environment_for(facts("a")) == environment);
  CHECK(place.services->environment_for(facts("b")) != environment);
  CHECK(RunServices::secrets_of(environment) == std::vector{environment.at("ACTIONS_RUNTIME_TOKEN")});
}

TEST_CASE("an artifact goes from one job to the next") {
  Place place;
  auto first = place.job(facts("first")), second = place.job(facts("second"));
  const auto done = first.upload("box", "cargo");
  REQUIRE(done.status == 200);
  CHECK(done.json()["ok"] == true);
  CHECK(done.json()["artifact_id"] == "1");
  const auto got = second.download("box");
  CHECK(got.body == "cargo");
  CHECK(got.response.header("content-type") == "application/zip");
  CHECK(got.response.header("content-disposition") == "attachment; filename=\"box.zip\"; filename*=UTF-8''box.zip");
  const auto listed = second.twirp("ListArtifacts", second.with_ids(Json::object())).json()["artifacts"];
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["size"] == "5");
  CHECK(second.twirp("ListArtifacts", second.with_ids({{"id_filter", "2"}})).json()["artifacts"].empty());

  CHECK(first.upload("box", "more").status == 409);
  Json named = listed[0];
  CHECK(second.twirp("DeleteArtifact", named).json()["artifact_id"] == "1");
  CHECK(second.twirp("DeleteArtifact", named).status == 404);
  CHECK(second.upload("box", "more").status == 200);
  CHECK(first.download("box").body == "more");
}

TEST_CASE("ranges of a blob") {
  Place place;
  auto job = place.job(facts("a"));
  REQUIRE(job.upload("box", "0123456789").status == 200);
  const auto artifact = job.twirp("ListArtifacts", job.with_ids(Json::object())).json()["artifacts"][0];
  const std::string url = job.twirp("GetSignedArtifactURL", artifact).json()["signed_url"];
  struct Row {
    std::string header, range;
    int status;
    std::string body, content_range;
  };
  const Row rows[] = {
      {"Range", "bytes=2-4", 206, "234", "bytes 2-4/10"},   {"x-ms-range", "bytes=8-", 206, "89", "bytes 8-9/10"},
      {"Range", "bytes=-3", 206, "789", "bytes 7-9/10"},    {"Range", "bytes=5-500", 206, "56789", "bytes 5-9/10"},
      {"Range", "bytes=10-", 416, "", "bytes */10"},        {"Range", "bytes=4-2", 200, "0123456789", ""},
      {"Range", "items=1-2", 200, "0123456789", ""},        {"Range", "bytes=x", 200, "0123456789", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.range);
    const auto got = job.send("GET", url, {}, {{row.header, row.range}});
    CHECK(got.status == row.status);
    if (got.status != 416) CHECK(got.body == row.body);
    CHECK(got.response.header("content-range").value_or("") == row.content_range);
  }
}

TEST_CASE("blocks come side by side and in any order") {
  Place place;
  auto job = place.job(facts("a"));
  const std::string url = job.create("box").json()["signed_upload_url"];
  constexpr int k_blocks = 40;
  std::string whole, list = "<?xml version=\"1.0\"?><BlockList>";
  std::vector<std::jthread> threads;
  for (int i = 0; i < k_blocks; ++i) {
    const std::string block(100'000 + i, static_cast<char>('a' + i % 26));
    whole += block;
    list += "<Latest>id" + std::to_string(i) + "</Latest>";
    threads.emplace_back([&job, url, block, i] {
      const auto put = job.send("PUT", url + "&comp=block&blockid=id" + std::to_string(i), block);
      if (put.status != 201) std::abort();
    });
  }
  threads.clear();
  REQUIRE(job.send("PUT", url + "&comp=blocklist", list + "</BlockList>").status == 201);
  REQUIRE(job.twirp("FinalizeArtifact", job.with_ids({{"name", "box"}, {"size", std::to_string(whole.size())}})).status == 200);
  CHECK(job.download("box").body == whole);
}

TEST_CASE("another job's or run's token does nothing to this one's artifacts") {
  Place place;
  auto mine = place.job(facts("mine")), other = place.job(facts("other"));
  auto workflow = facts("other");
  workflow.workflow = "elsewhere.yml";
  auto elsewhere = place.job(workflow);
  const auto created = mine.create("box");
  REQUIRE(created.status == 200);
  const std::string url = created.json()["signed_upload_url"];

  const Json mine_named = mine.with_ids({{"name", "box"}, {"size", "4"}});
  CHECK(other.twirp("CreateArtifact", mine_named).status == 403);
  CHECK(other.twirp("FinalizeArtifact", mine_named).status == 403);
  CHECK(other.create("box").status == 409);
  CHECK(other.twirp("FinalizeArtifact", other.with_ids({{"name", "box"}})).status == 404);
  REQUIRE(mine.put(url, "mine").status == 201);
  REQUIRE(mine.twirp("FinalizeArtifact", mine_named).status == 200);
  CHECK(elsewhere.twirp("ListArtifacts", mine.ids()).status == 403);
  CHECK(elsewhere.twirp("GetSignedArtifactURL", mine_named).status == 403);
  CHECK(elsewhere.twirp("DeleteArtifact", mine_named).status == 403);
  CHECK(mine.put(url, "evil").status == 404);

  for (const std::string& token : {std::string(), std::string("x.y.z"), other.token() + "A"}) {
    auto environment = mine.environment();
    environment["ACTIONS_RUNTIME_TOKEN"] = token;
    Job forged(environment);
    const auto answer = forged.api("POST", "twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts", mine.ids().dump());
    CHECK(answer.status == 401);
    CHECK(forged.api("GET", "_apis/artifactcache/cache?keys=a&version=v").status == 401);
  }
  CHECK(mine.download("box").body == "mine");
}

TEST_CASE("a run that is over leaves its artifacts to the run that resumes it, and its token to nobody") {
  Place place;
  auto before = place.job(facts("first"));
  REQUIRE(before.upload("box", "cargo").status == 200);
  place.start("101", "100");
  auto after = place.job(facts("second", "101"));
  CHECK(after.download("box").body == "cargo");
  CHECK(after.upload("box", "new cargo").status == 200);
  CHECK(after.download("box").body == "new cargo");
  auto environment = after.environment();
  environment["ACTIONS_RUNTIME_TOKEN"] = before.token();
  CHECK(Job(environment).api("POST", "twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts", before.ids().dump()).status == 401);
  place.start("102", "101");
  CHECK(place.job(facts("third", "102")).download("box").body == "new cargo");
  // An attempt between them had no services, so nobody knows what it resumed.
  place.start("105", "104", {"104", "102", "101", "100"});
  CHECK(place.job(facts("fifth", "105")).download("box").body == "new cargo");
  place.start("103");
  CHECK(place.job(facts("other", "103")).download("box").json()["artifacts"].empty());
}

TEST_CASE("signed addresses cannot be bent") {
  Place place;
  auto job = place.job(facts("a"));
  REQUIRE(job.upload("one", "1").status == 200);
  const std::string url = job.create("two").json()["signed_upload_url"];
  const auto replaced = [&](const std::string& what, const std::string& by) {
    auto text = url;
    text.replace(text.find(what), what.size(), by);
    return text;
  };
  CHECK(job.put(replaced("sig=", "sig=A"), "x").status == 403);
  CHECK(job.put(replaced("sp=w", "sp=r"), "x").status == 403);
  CHECK(job.put(replaced("se=", "se=9"), "x").status == 403);
  CHECK(job.put(replaced("/upload/", "/artifact/"), "x").status == 403);
  CHECK(job.send("GET", url).status == 403);
  CHECK(job.send("GET", url.substr(0, url.find("/blob/")) + "/blob/artifact/1").status == 403);
  CHECK(job.put(url.substr(0, url.find("/blob/")) + "/blob/upload/../../../etc/passwd?" + url.substr(url.find('?') + 1), "x").status != 201);
  CHECK(job.send("PUT", url, "x").status == 400);
  CHECK(job.send("PUT", url + "&comp=page", "x", {{"x-ms-blob-type", "BlockBlob"}}).status == 400);
  CHECK(job.send("POST", url, "x").status == 405);
}

TEST_CASE("hostile names and bodies change nothing outside") {
  Place place;
  auto job = place.job(facts("a"));
  for (const auto& name : {Json("../../evil"), Json("a/b"), Json(""), Json(std::string(5000, 'a')), Json(std::string("a\0b", 3)),
                           Json("a\nb"), Json(7.5), Json::array(), Json()}) {
    CAPTURE(name);
    CHECK(job.twirp("CreateArtifact", job.with_ids({{"name", name}})).status == 400);
  }
  for (const auto& key : {Json("a,b"), Json(""), Json(std::string(600, 'k')), Json(std::string("a\0b", 3)), Json()}) {
    CAPTURE(key);
    CHECK(job.twirp("CreateCacheEntry", {{"key", key}, {"version", "v"}}).status == 400);
  }
  CHECK(job.save("../../../../tmp/evil", "x").status == 200);
  CHECK(job.restore("../../../../tmp/evil") == "../../../../tmp/evil=x");
  const std::string service = "twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact";
  for (const std::string& body : {std::string("{"), std::string("[]"), std::string("null"), std::string(5 << 20, ' '), std::string("\xff")}) {
    CHECK(job.api("POST", service, body).status == 400);
  }
  CHECK(job.twirp("BurnArtifact", Json::object()).status == 404);
  CHECK(job.api("GET", "etc/passwd").status == 404);
  CHECK(job.twirp("FinalizeArtifact", job.with_ids({{"name", "none"}})).status == 404);
  REQUIRE(job.create("empty").status == 200);
  CHECK(job.twirp("FinalizeArtifact", job.with_ids({{"name", "empty"}})).status == 412);
  const std::string url = job.create("short").json()["signed_upload_url"];
  REQUIRE(job.put(url, "12345").status == 201);
  CHECK(job.twirp("FinalizeArtifact", job.with_ids({{"name", "short"}, {"size", "6"}})).status == 400);
  CHECK(job.twirp("FinalizeArtifact", job.with_ids({{"name", "short"}, {"size", "5"}, {"hash", "md5:1"}})).status == 400);
  CHECK(job.twirp("FinalizeArtifact", job.with_ids({{"name", "short"}, {"size", "5"}, {"hash", "sha256:" + std::string(64, 'a')}})).status == 200);
}

TEST_CASE("quotas hold while something is uploaded") {
  Place place({.cache_bytes = 100, .artifact_bytes = 50});
  auto job = place.job(facts("a"));
  const std::string url = job.create("box").json()["signed_upload_url"];
  CHECK(job.put(url, std::string(51, 'x')).status == 413);
  CHECK(job.send("PUT", url + "&comp=block&blockid=a", std::string(40, 'x')).status == 201);
  CHECK(job.send("PUT", url + "&comp=block&blockid=b", std::string(40, 'x')).status == 413);
  CHECK(job.upload("first", std::string(10, 'x')).status == 200);
  const auto full = job.create("second");
  REQUIRE(full.status == 200);
  CHECK(job.save("big", std::string(101, 'x')).status == 413);
  CHECK(job.api("POST", "_apis/artifactcache/caches", R"({"key":"k","version":"v","cacheSize":101})").status == 400);
  CHECK(job.save("a", std::string(60, 'x')).status == 200);
  CHECK(job.save("b", std::string(60, 'x')).status == 200);
  CHECK(job.restore("a") == "none");
}

TEST_CASE("caches of the second service") {
  Place place;
  auto main = place.job(facts("main")), topic = place.job(facts("topic", "100", "refs/heads/topic"));
  REQUIRE(main.save("npm-1", "one").status == 200);
  CHECK(main.save("npm-1", "other").status == 409);
  CHECK(topic.restore("npm-2", {"npm-"}) == "npm-1=one");
  CHECK(topic.restore("npm-2", {"npm-"}, "w") == "none");
  REQUIRE(topic.save("npm-1", "of topic").status == 200);
  CHECK(topic.restore("npm-1") == "npm-1=of topic");
  CHECK(main.restore("npm-1") == "npm-1=one");
  REQUIRE(topic.save("secret", "of topic").status == 200);
  CHECK(main.restore("secret") == "none");
  CHECK(main.restore("a", std::vector<std::string>(10, "b")) == "400");
}

TEST_CASE("two runs share a store: the first to finish a cache has it") {
  Place place;
  auto other = RunServices::start({.store_root = place.directory.path(), .run = "101", .resumed = "", .limits = {}});
  REQUIRE(other.ok());
  auto mine = place.job(facts("mine"));
  Job theirs((*other)->environment_for(facts("theirs", "101")));
  const std::string my_url = mine.twirp("CreateCacheEntry", {{"key", "k"}, {"version", "v"}}).json()["signed_upload_url"];
  const std::string their_url = theirs.twirp("CreateCacheEntry", {{"key", "k"}, {"version", "v"}}).json()["signed_upload_url"];
  CHECK(theirs.put(my_url, "evil").status == 201);  // the address is all that counts, and it leads to the server that signed it
  CHECK(mine.put(my_url, "mine").status == 201);
  CHECK(theirs.put(their_url, "theirs").status == 201);
  const Json finish{{"key", "k"}, {"version", "v"}};
  CHECK(theirs.twirp("FinalizeCacheEntryUpload", finish).status == 200);
  CHECK(mine.twirp("FinalizeCacheEntryUpload", finish).status == 409);
  CHECK(mine.restore("k") == "k=theirs");
  CHECK(mine.put(my_url.substr(0, my_url.find("/blob/")) + their_url.substr(their_url.find("/blob/")), "evil").status == 403);
  std::vector<std::jthread> threads;
  std::atomic<int> kept{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Job job((i % 2 == 0 ? *place.services : **other).environment_for(facts("racer" + std::to_string(i), i % 2 == 0 ? "100" : "101")));
      if (job.save("raced", std::string(1000, static_cast<char>('a' + i))).status == 200) ++kept;
    });
  }
  threads.clear();
  CHECK(kept >= 1);
  const auto raced = mine.restore("raced");
  CHECK(raced.size() == 6 + 1000);
  CHECK(raced.find_first_not_of(raced.back(), 6) == std::string::npos);
}

TEST_CASE("a fork reads trusted caches and writes its own scope alone") {
  Place place;
  auto trusted = place.job(facts("trusted"));
  REQUIRE(trusted.save("deps", "good").status == 200);
  auto untrusted = facts("fork");
  untrusted.github["ref"] = "refs/heads/main";
  untrusted.github["event_name"] = "pull_request_target";
  untrusted.github["base_ref"] = "main";
  untrusted.github["event"]["pull_request"] = {{"number", 3}, {"head", {{"repo", {{"full_name", "evil/r"}}}}}, {"base", {{"repo", {{"full_name", "o/r"}}}}}};
  auto fork = place.job(untrusted);
  CHECK(fork.restore("deps") == "deps=good");
  REQUIRE(fork.save("deps", "evil").status == 200);
  REQUIRE(fork.save("next", "evil").status == 200);
  CHECK(trusted.restore("deps") == "deps=good");
  CHECK(trusted.restore("next") == "none");
  CHECK(fork.restore("next") == "next=evil");
}

TEST_CASE("caches of the first service: reserve, ranges, commit") {
  Place place;
  auto job = place.job(facts("a")), other = place.job(facts("b"));
  const std::string caches = "_apis/artifactcache/caches";
  CHECK(job.api("GET", "_apis/artifactcache/cache?keys=npm-1%2Cnpm-&version=v").status == 204);
  const auto reserved = job.api("POST", caches, R"({"key":"npm-1","version":"v","cacheSize":6})");
  REQUIRE(reserved.status == 201);
  const auto own = caches + "/" + reserved.json()["cacheId"].dump();
  CHECK(other.api("POST", caches, R"({"key":"npm-1","version":"v"})").status == 409);
  CHECK(other.api("PATCH", own, "abc", {{"Content-Range", "bytes 0-2/*"}}).status == 404);
  CHECK(job.api("PATCH", own, "two", {{"Content-Range", "bytes 3-5/*"}}).status == 204);
  CHECK(job.api("PATCH", own, "abc").status == 400);
  CHECK(job.api("PATCH", own, "abc", {{"Content-Range", "bytes 5-2/*"}}).status == 400);
  CHECK(job.api("PATCH", own, "abc", {{"Content-Range", "bytes 0-9/*"}}).status == 400);
  CHECK(job.api("POST", own, R"({"size":6})").status == 400);
  CHECK(job.api("PATCH", own, "one", {{"Content-Range", "bytes 0-2/*"}}).status == 204);
  CHECK(other.api("POST", own, R"({"size":6})").status == 404);
  CHECK(job.api("POST", own, R"({"size":6})").status == 204);
  CHECK(job.api("PATCH", own, "evil", {{"Content-Range", "bytes 0-3/*"}}).status == 404);
  CHECK(job.api("POST", caches, R"({"key":"npm-1","version":"v"})").status == 409);
  const auto found = other.api("GET", "_apis/artifactcache/cache?keys=npm-2%2Cnpm-&version=v");
  REQUIRE(found.status == 200);
  CHECK(found.json()["cacheKey"] == "npm-1");
  CHECK(job.send("GET", found.json()["archiveLocation"]).body == "onetwo");
  CHECK(job.restore("npm-1") == "npm-1=onetwo");
  CHECK(job.api("GET", caches + "?key=npm").json()["totalCount"] == 1);
  CHECK(job.api("PATCH", caches + "/99999999999999999999", "x", {{"Content-Range", "bytes 0-0/*"}}).status == 404);
}

namespace {

/// RS256 of a token by the modulus and exponent of a key set.
bool signature_holds(const std::string& token, const Json& key) {
  const auto modulus = *decode_base64(key["n"].get<std::string>(), Base64::url), exponent = *decode_base64(key["e"].get<std::string>(), Base64::url);
  const auto number = [](const std::string& bytes) {
    return BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr);
  };
  BIGNUM *n = number(modulus), *e = number(exponent);
  auto* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
  auto* parameters = OSSL_PARAM_BLD_to_param(builder);
  auto* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* public_key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &public_key, EVP_PKEY_PUBLIC_KEY, parameters);
  const auto text = token.substr(0, token.rfind('.')), signature = *decode_base64(token.substr(token.rfind('.') + 1), Base64::url);
  auto* digest = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr, public_key);
  const bool holds = EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                      reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(public_key);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  BN_free(e);
  return holds;
}

}  // namespace

TEST_CASE("identity tokens: only with the permission, verified by the published key") {
  Place place;
  auto granted = facts("deploy");
  granted.permissions = {{"id-token", "write"}};
  granted.environment = "production";
  auto job = place.job(granted), plain = place.job(facts("plain"));
  const auto& environment = job.environment();
  const auto ask = [&](const std::string& token, const std::string& more) {
    return job.send("GET", environment.at("ACTIONS_ID_TOKEN_REQUEST_URL") + more, {}, {{"Authorization", "bearer " + token}});
  };
  const auto answer = ask(environment.at("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), "&audience=sts.example.org");
  REQUIRE(answer.status == 200);
  const auto token = answer.json()["value"].get<std::string>();
  const auto part = [&](std::size_t from, std::size_t to) { return Json::parse(*decode_base64(token.substr(from, to - from), Base64::url)); };
  const auto dot = token.find('.');
  const auto header = part(0, dot), claims = part(dot + 1, token.rfind('.'));

  const auto discovery = job.send("GET", place.services->base_url() + "/.well-known/openid-configuration").json();
  CHECK(discovery["issuer"] == claims["iss"]);
  const auto keys = job.send("GET", discovery["jwks_uri"]).json()["keys"];
  REQUIRE(keys.size() == 1);
  CHECK(keys[0]["kid"] == header["kid"]);
  CHECK(header["alg"] == "RS256");
  CHECK(signature_holds(token, keys[0]));
  auto bent = token;
  bent[dot + 5] = bent[dot + 5] == 'A' ? 'B' : 'A';
  CHECK_FALSE(signature_holds(bent, keys[0]));

  CHECK(claims["aud"] == "sts.example.org");
  CHECK(claims["sub"] == "repo:o/r:environment:production");
  CHECK(claims["repository"] == "o/r");
  CHECK(claims["runner_environment"] == "self-hosted");
  CHECK(claims["exp"].get<int>() - claims["iat"].get<int>() == 300);
  CHECK_FALSE(claims.contains("server_url"));
  CHECK(ask(environment.at("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), "").status == 200);
  CHECK(ask(environment.at("ACTIONS_RUNTIME_TOKEN"), "").status == 401);
  CHECK(ask(plain.token(), "").status == 401);
  CHECK(ask("", "").status == 401);
}

TEST_CASE("a large blob goes through as a stream") {
  Place place;
  auto job = place.job(facts("a"));
  const auto file = place.directory.path() + "/big";
  constexpr std::uint64_t k_size = 64ULL << 20;
  REQUIRE(write_file_atomic(file, std::string(k_size, 'x')).ok());
  const std::string url = job.create("big").json()["signed_upload_url"];
  HttpRequest request;
  request.method = "PUT";
  request.url = url;
  request.headers = {{"x-ms-blob-type", "BlockBlob"}};
  request.body_file = file;
  const auto put = make_curl_client()->perform(request);
  REQUIRE(put.ok());
  CHECK(put->status == 201);
  CHECK(job.twirp("FinalizeArtifact", job.with_ids({{"name", "big"}, {"size", std::to_string(k_size)}})).status == 200);
  CHECK(job.download("big").body.size() == k_size);
}
