// Medians for a big tree: layer made (diff, gzip, hashes, durable blob), its digest alone, layer unpacked.
// layer_bench [files] [megabytes] [rounds] [directory for the data]

#include "executors/oci/filehash.h"
#include "executors/oci/layer.h"
#include "executors/oci/snapshot.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <vector>

using namespace drydock::oci;
namespace fs = std::filesystem;

namespace {

/// Text with repetitions, a little noise, and sizes spread as in a node_modules tree.
void make_tree(const std::string& root, int files, double megabytes) {
  std::mt19937 random(7);
  std::string pool;
  while (pool.size() < 4u << 20) {
    pool += "const value" + std::to_string(random() % 5000) + " = require('module" + std::to_string(random() % 300) +
            "').call(this, 0x" + std::to_string(random()) + ");\n";
  }
  double mean = megabytes * 1e6 / files, sum = 0;
  std::exponential_distribution<double> size(1 / mean);
  for (int i = 0; i < files; ++i) {
    auto directory = root + "/package" + std::to_string(i / 40) + "/lib" + std::to_string(i / 10 % 4);
    fs::create_directories(directory);
    auto wanted = static_cast<std::size_t>(size(random));
    sum += static_cast<double>(wanted);
    std::ofstream file(directory + "/file" + std::to_string(i) + ".js");
    while (wanted > 0) {
      auto at = random() % (pool.size() / 2);
      auto part = std::min(wanted, pool.size() / 2);
      file.write(pool.data() + at, static_cast<std::streamsize>(part));
      wanted -= part;
    }
  }
  std::printf("tree: %d files, %.0f MB\n", files, sum / 1e6);
}

double median_of(int rounds, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

template <class T>
T must(drydock::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.error().to_string().c_str());
    std::exit(1);
  }
  return std::move(result).value();
}

}  // namespace

int main(int argc, char** argv) {
  int files = argc > 1 ? std::atoi(argv[1]) : 12000;
  double megabytes = argc > 2 ? std::atof(argv[2]) : 300;
  int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  std::string name = (fs::path(argc > 4 ? argv[4] : "/tmp") / "layer-bench-XXXXXX").string();
  std::string root = ::mkdtemp(name.data());
  auto tree = root + "/tree";
  fs::create_directory(tree);
  make_tree(tree, files, megabytes);
  auto report = [&](const char* what, double seconds, double size) {
    std::printf("%-28s %7.3f s  %7.0f MB/s\n", what, seconds, size / 1e6 / seconds);
    std::fflush(stdout);
  };
  {
    double size = megabytes * 1e6;
    auto store = must(Store::open({.root = root + "/store"}));
    report("open the store", median_of(rounds, [&] { must(Store::open({.root = root + "/store"})); }), 0);
    report("diff id alone", median_of(rounds, [&] { must(diff_digest(tree, {})); }), size);
    PackedLayer layer;
    for (int level : {0, 1, 2}) {
      auto seconds = median_of(rounds, [&] {
        if (!layer.blob.digest.empty()) fs::remove(store->blob_path(layer.blob.digest));
        layer = must(diff_to_layer(*store, tree, {}, {}, {Compression::gzip, level}));
      });
      auto what = "gzip " + std::to_string(level) + " into the store, " +
                  std::to_string(layer.blob.size * 100 / std::max<std::uint64_t>(1, layer.tar_size)) + " %";
      report(what.c_str(), seconds, size);
    }
    int number = 0;
    report("unpack", median_of(rounds, [&] {
             auto target = root + "/t" + std::to_string(number++);
             fs::create_directory(target);
             must(apply_layer(store->blob_path(layer.blob.digest), layer.blob.media_type, target));
           }), size);
    std::vector<std::string> paths;
    for (const auto& item : fs::recursive_directory_iterator(tree)) {
      if (item.is_regular_file()) paths.push_back(item.path());
    }
    FileHashes hashes(*store);
    report("file hashes, warm", (must(hashes.hash(paths)), median_of(rounds, [&] { must(hashes.hash(paths)); })), size);
  }
  fs::remove_all(root);
}
