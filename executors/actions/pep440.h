#pragma once
// Versions of Python packages (PEP 440). Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::actions {

struct PythonVersion {
  double epoch = 0;
  std::vector<double> release;
  std::string pre_letter;  // "a", "b", "rc"; empty when it is no pre-release
  double pre_number = 0;
  std::optional<double> post, dev;
  std::string local;

  bool is_final() const { return pre_letter.empty() && !post && !dev; }
  /// The part at the position; 0 when the release is shorter.
  double part(std::size_t position) const { return position < release.size() ? release[position] : 0; }
  /// Normalised: "1.2.3rc1.post2.dev3+local,1".
  std::string clean() const;
};

std::optional<PythonVersion> parse_pep440(std::string_view text);

}  // namespace drydock::actions
