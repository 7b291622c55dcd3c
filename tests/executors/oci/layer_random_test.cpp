#include "executors/oci/layer.h"
#include "tests/executors/oci/store_support.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <random>

using namespace drydock;
using namespace drydock::oci;
using namespace drydock::oci::testing;

namespace {

const std::string k_capability{"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20};

class TreeMaker {
 public:
  TreeMaker(std::string root, unsigned seed)
      : root_(std::move(root)), random_(seed), prefix_("n" + std::to_string(seed) + ".") {
    collect();
  }

  void add(int count) {
    for (int i = 0; i < count; ++i) add_one();
  }

  /// What steps of a build do: delete, replace, rename, touch, link, rewrite with the same content.
  void change(int count) {
    for (int i = 0; i < count; ++i) change_one();
  }

 private:
  int pick(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  const std::string& any_of(const std::vector<std::string>& paths) {
    return paths[static_cast<std::size_t>(pick(static_cast<int>(paths.size())))];
  }
  std::string any_directory() { return any_of(directories_); }

  void collect() {
    directories_ = {root_};
    others_.clear();
    for (const auto& item : fs::recursive_directory_iterator(root_)) {
      (item.is_directory() && !item.is_symlink() ? directories_ : others_).push_back(item.path().string());
    }
    std::sort(directories_.begin(), directories_.end());
    std::sort(others_.begin(), others_.end());
  }

  std::string name() {
    static const char* k_odd[] = {"ä-ö", "with space", "new\nline", "\xff\xfe", "-dash", "back\\slash", "ünï"};
    auto text = prefix_ + std::to_string(next_++);
    if (pick(12) == 0) text += k_odd[pick(7)];
    if (pick(20) == 0) text += std::string(static_cast<std::size_t>(60 + pick(120)), 'x');
    return text;
  }

  void dress(const std::string& path) {
    if (pick(3) == 0) (void)::lchown(path.c_str(), static_cast<uid_t>(pick(3000000)), static_cast<gid_t>(pick(2000)));
    set_mtime(path, 1'000'000'000 + pick(500'000'000));
  }

  std::string content() {
    std::string text;
    int size = pick(10) == 0 ? pick(200'000) : pick(600);
    for (int i = 0; i < size; ++i) text += static_cast<char>(pick(8) ? 'a' + i % 7 : pick(256));
    return text;
  }

  void add_one() {
    auto path = any_directory() + "/" + name();
    switch (pick(12)) {
      case 0: case 1:
        fs::create_directory(path);
        ::chmod(path.c_str(), pick(2) ? 0755 : 01777);
        directories_.push_back(path);
        dress(path);
        return;
      case 2:
        fs::create_symlink(pick(2) ? "../" + std::string(static_cast<std::size_t>(pick(150)), 'l') : "/etc/pässwd", path);
        break;
      case 3:
        if (!others_.empty() && ::link(any_of(others_).c_str(), path.c_str()) == 0) {
          others_.push_back(path);
        }
        return;
      case 4:
        (void)::mkfifo(path.c_str(), 0600);
        break;
      case 5:
        (void)::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 3));
        break;
      default:
        put_file(path, content(), pick(2) ? 0644 : 04755);
        break;
    }
    dress(path);
    if (pick(20) == 0) ::lsetxattr(path.c_str(), "user.note", "value\0x", 7, 0);
    bool file = fs::symlink_status(path).type() == fs::file_type::regular;
    if (file && pick(20) == 0) ::lsetxattr(path.c_str(), "security.capability", k_capability.data(), 20, 0);
    others_.push_back(path);
  }

  void change_one() {
    if (others_.empty()) collect();
    if (others_.empty()) return;
    auto path = any_of(others_);
    std::error_code code;
    switch (pick(11)) {
      case 0: fs::remove(path, code); break;
      case 1:  // remove a whole directory and make it again, or something else in its place
        if (directories_.size() > 1) {
          path = directories_[1 + static_cast<std::size_t>(pick(static_cast<int>(directories_.size()) - 1))];
          fs::remove_all(path, code);
          int what = pick(3);
          if (what == 0) {
            fs::create_directory(path);
            put_file(path + "/" + name(), content());
          } else if (what == 1) {
            put_file(path, content());
          }
        }
        break;
      case 2: put_file(path + "~", content()); fs::rename(path + "~", path, code); break;
      case 3: ::chmod(path.c_str(), 0600); break;
      case 4: dress(path); break;
      case 5: {  // copied up, and nothing else
        int fd = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0) ::close(fd);
        break;
      }
      case 6: (void)::link(path.c_str(), (any_directory() + "/" + name()).c_str()); break;
      case 7: fs::rename(path, any_directory() + "/" + name(), code); break;
      case 8: {
        fs::remove(path, code);
        fs::create_directory(path, code);
        break;
      }
      case 9: ::lsetxattr(path.c_str(), "user.changed", "1", 1, 0); break;
      default: add_one(); break;
    }
    collect();
  }

  std::string root_;
  std::mt19937 random_;
  std::string prefix_;  // no name of an earlier step: opening its fifo would wait for ever
  int next_ = 0;
  std::vector<std::string> directories_, others_;
};

std::string tar_of(const std::string& upper, const std::vector<std::string>& lower) {
  std::string tar;
  must(diff_layer(upper, lower, [&](std::string_view piece) -> Status {
    tar += piece;
    return {};
  }));
  return tar;
}

void unpack_below(const std::string& tar, const std::string& target, const std::vector<std::string>& lower) {
  std::size_t at = 0;
  ByteSource source = [&](char* buffer, std::size_t size) -> Result<std::size_t> {
    auto part = tar.copy(buffer, size, at);
    at += part;
    return part;
  };
  ApplyOptions options;
  options.lower = lower;
  options.expected_diff_id = digest_of(tar);
  auto result = must(apply_layer(source, k_layer_tar, target, options));
  CHECK(result.notes.empty());
}

}  // namespace

TEST_CASE("a tree of 2000 entries comes back from its layer as it was") {
  if (!root_or_skip()) return;
  unsigned seed = GENERATE(1u, 2u);
  ScratchDir temp;
  auto first = temp.dir("first"), second = temp.dir("second");
  TreeMaker(first, seed).add(2000);
  auto tar = tar_of(first, {});
  unpack_below(tar, second, {});
  CHECK(difference(describe_tree(first), describe_tree(second)) == "");
  CHECK(digest_of(tar_of(second, {})) == digest_of(tar));
}

TEST_CASE("what steps change on an overlay is in the layer, and nothing else") {
  if (!root_or_skip()) return;
  unsigned seed = GENERATE(11u, 12u, 13u, 14u, 15u, 16u);
  CAPTURE(seed);
  ScratchDir temp;
  std::vector<std::string> made = {temp.dir("made0")}, unpacked = {temp.dir("unpacked0")};
  TreeMaker(made[0], seed).add(300);
  unpack_below(tar_of(made[0], {}), unpacked[0], {});
  for (unsigned step = 1; step <= 4; ++step) {
    auto number = std::to_string(step);
    auto upper = temp.dir("made" + number), work = temp.dir("work" + number), view = temp.dir("view" + number);
    {
      Overlay overlay(made, upper, work, view);
      if (!overlay.ok()) {
        WARN("skipped: overlays cannot be mounted here");
        return;
      }
      TreeMaker(view, seed * 100 + step).change(60);
    }
    auto tar = tar_of(upper, made);
    auto again = temp.dir("unpacked" + number);
    unpack_below(tar, again, unpacked);
    // The same change over what was unpacked is the same layer.
    CHECK(tar_of(again, unpacked) == tar);
    made.insert(made.begin(), upper);
    unpacked.insert(unpacked.begin(), again);
    Overlay left(made, "", "", temp.dir("left" + number)), right(unpacked, "", "", temp.dir("right" + number));
    REQUIRE(left.ok());
    REQUIRE(right.ok());
    // A copy-up parts a file from its other names below; that alone is no change, and is not in the layer.
    CHECK(difference(describe_tree(temp / ("left" + number), Links::ignored),
                     describe_tree(temp / ("right" + number), Links::ignored)) == "");
  }
}
