#include "executors/action_store/action_store.h"

#include <atomic>
#include <thread>

#include "executors/action_store/action_disk.h"
#include "executors/base/fs.h"
#include "tests/executors/action_store/tarball.h"
#include "tests/support/catch.h"
#include "tests/support/http_server.h"

using namespace drydock;
using namespace drydock::action_store;
using test::Entry;
using test::tarball;

namespace {

const std::string k_first(40, 'a'), k_second(40, 'b');

/// A server like GitHub: api for refs, archives of commits.
struct Forge {
  std::atomic<int> asked{0}, sent{0};
  std::atomic<int> failures{0};  // so many answers are 503 first
  std::string commit = k_first;
  std::string token;             // of the last request
  std::string archive = tarball({{"tool-x/", "", Entry::directory}, {"tool-x/action.yml", "name: x\n"}});
  test::HttpServer server{[this](const test::ServedRequest& request) { return answer(request); }};

  test::ServedResponse answer(const test::ServedRequest& request) {
    const auto authorization = request.headers.find("authorization");
    token = authorization == request.headers.end() ? "" : authorization->second;
    if (failures > 0 && failures-- > 0) return {.status = 503};
    if (request.target == "/api/repos/Acme/tool/commits/releases/v1%2B") return ++asked, test::ServedResponse{.body = commit + "\n"};
    if (request.target == "/api/repos/acme/gitea/git/commits/v1") return {.body = "{\"sha\": \"" + commit + "\"}"};
    if (request.target == "/Acme/tool/archive/" + commit + ".tar.gz") {
      ++sent;
      return {.status = 302, .headers = {{"Location", "/codeload/" + commit}}};
    }
    if (request.target == "/codeload/" + commit) return {.body = archive};
    if (request.target == "/api/repos/acme/limited/commits/v1") return {.status = 403, .headers = {{"X-RateLimit-Remaining", "0"}}};
    return {.status = 404};
  }

  ActionStore store(const std::string& root, bool offline = false) {
    return ActionStore({.root = root, .server = {server.url(), server.url() + "/api"}, .offline = offline}, make_curl_client());
  }
};

step::ActionReference reference(const std::string& uses) { return *step::parse_action_reference(uses); }

}  // namespace

TEST_CASE("an action is fetched once by commit, and asked again what its ref means") {
  Forge forge;
  auto home = TempDir::create();
  {
    auto store = forge.store(home->path());
    CHECK(!*store.at_hand(reference("Acme/tool@releases/v1+")));
    const auto tree = store.get(reference("Acme/tool@releases/v1+"), "secret-token", {});
    REQUIRE(tree.ok());
    CHECK(tree->commit == k_first);
    CHECK(tree->came == step::ActionTree::Came::fetched);
    CHECK(*read_file(tree->root + "/action.yml") == "name: x\n");
    CHECK(forge.token == "Bearer secret-token");
    CHECK(store.get(reference("acme/Tool/sub@releases/v1+"), "", {})->root == tree->root);
    CHECK(store.at_hand(reference("Acme/tool@releases/v1+"))->has_value());
    CHECK(forge.asked == 1);
  }
  auto next = forge.store(home->path());
  CHECK(next.get(reference("Acme/tool@releases/v1+"), "", {})->came == step::ActionTree::Came::at_hand);
  CHECK(next.get(reference("Acme/tool@" + k_first), "", {})->came == step::ActionTree::Came::at_hand);
  CHECK(forge.asked == 2);
  CHECK(forge.sent == 1);
  forge.commit = k_second;  // the branch moves
  auto moved = forge.store(home->path());
  CHECK(moved.get(reference("Acme/tool@releases/v1+"), "", {})->commit == k_second);
  CHECK(forge.sent == 2);
}

TEST_CASE("without a network: what was resolved and fetched before, and a name for what was not") {
  Forge forge;
  auto home = TempDir::create();
  REQUIRE(forge.store(home->path()).get(reference("Acme/tool@releases/v1+"), "", {}).ok());
  const int asked = forge.asked;
  auto store = forge.store(home->path(), true);
  CHECK(store.at_hand(reference("Acme/tool@releases/v1+"))->has_value());
  CHECK(store.get(reference("Acme/tool@releases/v1+"), "", {})->commit == k_first);
  const auto missing = store.get(reference("acme/other@v1"), "", {});
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().to_string().find("action acme/other@v1 is not in the store") == 0);
  CHECK(forge.asked == asked);
}

TEST_CASE("what a server answers") {
  Forge forge;
  auto home = TempDir::create();
  auto store = forge.store(home->path());
  CHECK(store.get(reference("acme/none@v1"), "", {}).error().code == ErrorCode::not_found);
  CHECK(store.get(reference("acme/limited@v1"), "", {}).error().code == ErrorCode::network);
  CHECK(*resolve_ref(*make_curl_client(), {forge.server.url(), forge.server.url() + "/api"}, "acme/gitea", "v1", "", {}) == k_first);
  SECTION("transient failures are tried again") {
    forge.failures = 2;
    CHECK(store.get(reference("Acme/tool@releases/v1+"), "", {}).ok());
  }
  SECTION("then they are one of the network") {
    forge.failures = 100;
    CHECK(store.get(reference("Acme/tool@releases/v1+"), "", {}).error().code == ErrorCode::network);
  }
  SECTION("nobody there") {
    ActionStore nowhere({.root = home->path(), .server = {"http://127.0.0.1:1"}}, make_curl_client());
    CHECK(nowhere.get(reference("a/b@v1"), "", {}).error().code == ErrorCode::network);
  }
  SECTION("a hostile archive leaves nothing in the store") {
    forge.archive = tarball({{"t/../../evil", "x"}});
    const auto refused = store.get(reference("Acme/tool@releases/v1+"), "", {});
    CHECK(refused.error().code == ErrorCode::corrupted);
    CHECK(!*forge.store(home->path(), true).at_hand(reference("Acme/tool@" + k_first)));
  }
}

TEST_CASE("many at once make one tree") {
  Forge forge;
  auto home = TempDir::create();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      auto store = forge.store(home->path());  // as processes of their own
      const auto tree = store.get(reference("Acme/tool@releases/v1+"), "", {});
      if (tree.ok() && read_file(tree->root + "/action.yml").ok()) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 8);
}

TEST_CASE("directories that stand for repositories") {
  auto home = TempDir::create();
  const std::string path = home->path();
  REQUIRE(make_directories(path + "/one").ok());
  ActionStore store({.root = path, .offline = true, .sources = {{"O/r", "", path}, {"o/R", "v1", path + "/one"}}}, nullptr);
  CHECK((*store.at_hand(reference("o/r@v1")))->root == path + "/one");
  CHECK((*store.at_hand(reference("o/r/sub@v2")))->root == path);
  CHECK((*store.at_hand(reference("o/r@v2")))->use == step::ActionTree::Use::in_place);
  CHECK(!*store.at_hand(reference("o/other@v2")));
}

TEST_CASE("trees that nobody uses are removed, those in use stay") {
  Forge forge;
  auto home = TempDir::create();
  const std::string root = home->path();
  auto using_it = std::make_unique<ActionStore>(ActionStoreOptions{.root = root, .server = {forge.server.url(), forge.server.url() + "/api"}}, make_curl_client());
  const auto used = using_it->get(reference("Acme/tool@releases/v1+"), "", {});
  REQUIRE(used.ok());
  forge.commit = k_second;
  std::string other;
  {
    auto store = forge.store(root);
    other = store.get(reference("Acme/tool@releases/v1+"), "", {})->root;
  }
  CHECK(actions_on_disk(root)->trees == 2);
  CHECK(actions_on_disk(root)->bytes > 0);
  CHECK(prune_actions(root, {.unused_since = Time()})->trees == 0);
  CHECK(prune_actions(root, {.unused_since = Time::max()})->trees == 1);
  CHECK(is_directory(used->root));
  CHECK_FALSE(is_directory(other));
  // The ref meant what is gone: without a network it means nothing now.
  CHECK(forge.store(root, true).get(reference("Acme/tool@releases/v1+"), "", {}).error().code == ErrorCode::not_found);
  using_it.reset();
  CHECK(prune_actions(root, {.unused_since = Time(), .keep_bytes = 0})->trees == 1);
  CHECK(actions_on_disk(root)->trees == 0);
  CHECK(actions_on_disk(root + "/none")->trees == 0);
  CHECK(forge.store(root).get(reference("Acme/tool@releases/v1+"), "", {}).ok());
}
