#include "tests/executors/build/support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "executors/base/masker.h"
#include "executors/base/process.h"

namespace drydock::build::test {

namespace fs = std::filesystem;

namespace {

TempDir scratch_directory() {
  auto made = TempDir::create("/tmp", "drydock-test-build-");
  if (!made.ok()) throw std::runtime_error(made.error().to_string());
  fs::permissions(made->path(), fs::perms(0755));
  return std::move(*made);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

fs::path blob_path(const fs::path& layout, const Json& descriptor) {
  return layout / "blobs/sha256" / descriptor["digest"].get<std::string>().substr(7);
}

Json json_file(const fs::path& path) {
  return Json::parse(read(path));
}

void read_descriptor(const fs::path& layout, const Json& descriptor,
                     std::map<std::string, LayoutImage>& images) {
  const auto document = json_file(blob_path(layout, descriptor));
  if (document.contains("manifests")) {
    for (const auto& below : document["manifests"]) read_descriptor(layout, below, images);
    return;
  }
  LayoutImage image;
  image.manifest = document;
  image.config = json_file(blob_path(layout, document["config"]));
  for (const auto& layer : document["layers"]) {
    image.blobs.push_back(blob_path(layout, layer));
    if (layer["mediaType"] == "application/vnd.in-toto+json") continue;
    image.layers.push_back(lines_of(output_of({"tar", "-tzf", image.blobs.back().string()})));
  }
  const auto platform =
      image.config["os"].get<std::string>() + "/" + image.config["architecture"].get<std::string>();
  images[platform] = std::move(image);
}

}  // namespace

Scratch::Scratch() : directory_(scratch_directory()) {}

fs::path Scratch::make(const std::string& name) const {
  fs::create_directories(path() / name);
  return path() / name;
}

void write(const fs::path& path, const std::string& text, unsigned mode) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  fs::permissions(path, fs::perms(mode));
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void set_mtime(const fs::path& path, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

std::int64_t mtime(const fs::path& path) {
  struct stat st {};
  ::lstat(path.c_str(), &st);
  return st.st_mtim.tv_sec;
}

bool is_root() {
  return ::geteuid() == 0;
}

void skipped(const std::string& reason) {
  std::cerr << "skipped: " << reason << "\n";
}

std::string why_no_runs() {
  if (!is_root()) return "not root";
  if (!fs::exists("/usr/bin/busybox") && !fs::exists("/bin/busybox"))
    return "busybox-static is not installed";
  if (!find_program("runc") && !find_program("crun")) return "neither runc nor crun is installed";
  return {};
}

std::string output_of(const std::vector<std::string>& argv) {
  ProcessSpec spec;
  spec.argv = argv;
  auto result = run_process(spec);
  REQUIRE(result.ok());
  INFO(argv.front() << ": " << result->err);
  REQUIRE(result->exit_code == 0);
  return result->out;
}

std::vector<std::string> LayoutImage::names() const {
  std::vector<std::string> all;
  for (const auto& layer : layers) all.insert(all.end(), layer.begin(), layer.end());
  return all;
}

std::map<std::string, LayoutImage> read_layout(const fs::path& archive, const Scratch& scratch) {
  const auto layout = scratch.make(archive.filename().string() + ".unpacked");
  output_of({"tar", "-xf", archive.string(), "-C", layout.string()});
  std::map<std::string, LayoutImage> images;
  const auto index = json_file(layout / "index.json");
  for (const auto& descriptor : index["manifests"]) read_descriptor(layout, descriptor, images);
  return images;
}

Bench::Bench() {
  scratch_.make("context");
  request.context.source = context().string();
  options.store_root = (scratch_ / "store").string();
}

Result<EngineResult> Bench::build() {
  events.clear();
  auto masker = std::make_shared<Masker>();
  for (const auto& secret : request.secrets) masker->add(secret.value);
  Bus bus(masker);
  bus.listen([this](const Event& event) { events.push_back(event); });
  return run_engine(request, options, EngineSetting::machine, bus, {});
}

EngineResult Bench::built() {
  auto result = build();
  INFO((result.ok() ? std::string() : result.error().to_string()) << "\n" << log());
  REQUIRE(result.ok());
  return std::move(*result);
}

LayoutImage Bench::image() {
  const auto archive = scratch_ / ("image-" + std::to_string(archives_++) + ".tar");
  request.outputs = {{"oci", {{"dest", archive.string()}}}};
  built();
  request.outputs.clear();
  auto images = read_layout(archive, scratch_);
  REQUIRE(images.size() == 1);
  return images.begin()->second;
}

std::vector<std::string> Bench::steps(CacheState state) const {
  std::vector<std::string> titles;
  for (const auto& event : events) {
    if (event.kind != EventKind::vertex_finished || event.cache != state || !event.name.starts_with("["))
      continue;
    titles.push_back(event.name.substr(event.name.find("] ") + 2));
  }
  return titles;
}

std::string Bench::log() const {
  std::string text;
  for (const auto& event : events) {
    if (event.kind == EventKind::log) text += event.text;
  }
  return text;
}

std::string Bench::warnings() const {
  std::string text;
  for (const auto& event : events) {
    if (event.kind == EventKind::message && event.level == Level::warning) text += event.text + "\n";
  }
  return text;
}

void add_rootfs(const Bench& bench) {
  const auto root = bench.context() / "rootfs";
  fs::create_directories(root / "bin");
  fs::create_directories(root / "tmp");
  fs::permissions(root / "tmp", fs::perms(01777));
  fs::copy_file(fs::exists("/usr/bin/busybox") ? "/usr/bin/busybox" : "/bin/busybox", root / "bin/busybox");
  fs::permissions(root / "bin/busybox", fs::perms(0755));
  for (const auto* name :
       {"sh",    "cat", "echo", "env", "id",    "ls",    "mkdir", "pwd",   "rm", "stat", "test",
        "touch", "wc",  "grep", "ip",  "mount", "sleep", "chmod", "chown", "df", "tr"}) {
    fs::create_symlink("busybox", root / "bin" / name);
  }
  write(root / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n");
  write(root / "etc/group", "root:x:0:\napp:x:1001:\nextra:x:50:app\n");
}

}  // namespace drydock::build::test
