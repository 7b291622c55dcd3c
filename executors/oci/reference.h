#pragma once
// Reference: the name of an image in a registry, "docker.io/library/node:22@sha256:…", always kept in full.
// Plain values; follows the reference grammar of the distribution specification and Docker's short names.

#include <string>
#include <string_view>

#include "executors/base/result.h"
#include "executors/oci/digest.h"

namespace drydock::oci {

struct Reference {
  std::string domain;      // "docker.io", "localhost:5000", "[::1]:5000"
  std::string repository;  // "library/node"
  std::string tag;         // may be empty
  Digest digest;           // may be empty

  /// "docker.io/library/node", without tag and digest.
  std::string name() const { return domain + "/" + repository; }
  /// Everything that is known, in full: "docker.io/library/node:22@sha256:…".
  std::string to_string() const;
  /// As people write it: "node:22".
  std::string familiar() const;
  /// What a registry is asked for: the digest when there is one, else the tag, else "latest".
  std::string tag_or_digest() const;

  /// With tag "latest" when it has neither tag nor digest.
  Reference with_default_tag() const;
  Reference with_tag(std::string new_tag) const;   // the digest goes
  Reference with_digest(Digest new_digest) const;  // the tag goes

  friend bool operator==(const Reference&, const Reference&) = default;
  friend auto operator<=>(const Reference&, const Reference&) = default;
};

/// Accepts short names: "node" is docker.io/library/node. No tag is added. An error (invalid_input) says
/// which part is wrong.
Result<Reference> parse_reference(std::string_view text);

bool is_valid_tag(std::string_view tag);

}  // namespace drydock::oci
