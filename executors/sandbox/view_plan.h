#pragma once
// What a view of this machine is made of, decided before anything is done: the mounts, directories and files that
// one process makes, in order, in a mount namespace of its own. Facts in, steps out; plan_view touches nothing.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::sandbox {

enum class ViewKind {
  copy_on_write,  // of root: everything can be changed, and the machine is not
  read_only,      // of an ordinary user: home and temporary folders are copy-on-write, the rest cannot be changed
};
std::string_view name_of(ViewKind kind);

enum class RootOf { directory, file, other };  // what a mount shows at its target

/// A mount that can be seen, or a directory; with the owner and mode at its root.
struct PlaceFact {
  std::string path, type;
  RootOf root = RootOf::directory;
  mode_t mode = 0755;
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;  // of a file
};

struct ViewFacts {
  ViewKind kind = ViewKind::copy_on_write;
  std::string directory;                // the view's own: changes are kept in it
  bool in_memory = false;               // changes go to a tmpfs on `directory`
  std::string overlay_options;          // how changes are marked
  std::vector<PlaceFact> mounts;        // those that can be seen, outer ones first; "/" is the first
  std::vector<PlaceFact> run;           // directories of /run
  std::vector<PlaceFact> writable;      // read_only: the directories that are copy-on-write
  std::vector<std::string> shared;      // the machine's own, read-write at the same path
  std::string name_servers;             // file below /run that /etc/resolv.conf leads to, or empty
  std::vector<std::string> root_tools;  // read_only: sudo and its like, which only explain themselves
};

enum class Act {
  make_directory,  // target, mode, owner; one that exists is a success and stays as it is
  make_link,       // target → source
  make_file,       // target with `data`, mode
  copy_file,       // source's bytes into target, owner and mode with them
  mount,           // as mount(2): source, target, type, flags, data
  protect,         // sets mount attributes (`flags`) on target and all below it
};
enum class IfFails {
  stop,
  skip_missing,
  skip,
  bind_read_only,  // source is bound read-only instead
  bind_empty,      // `empty` is bound instead
};

struct ViewStep {
  Act act = Act::mount;
  std::string source, target, type, data;
  unsigned long flags = 0;
  mode_t mode = 0;
  std::optional<uid_t> uid;
  gid_t gid = 0;
  std::string empty;
  IfFails if_fails = IfFails::stop;
};

/// Where the new root is put together.
std::string root_of_view(const ViewFacts& facts);

std::vector<ViewStep> plan_view(const ViewFacts& facts);

/// Whether a mount of the machine has a place in a view at all (pseudo file systems are made anew or left out).
bool belongs_in_view(const PlaceFact& mount);

}  // namespace drydock::sandbox
