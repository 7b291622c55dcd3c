#include "parser/lint/known_action.h"
#include "parser/lint/node_view.h"

#include <algorithm>
#include <array>
#include <set>

namespace drydock::parser::lint {

namespace {

using Keys = std::vector<std::string_view>;

constexpr std::array<std::string_view, 9> k_colors = {"white",  "black", "yellow", "blue",     "green",
                                                      "orange", "red",   "purple", "gray-dark"};

/// The icons GitHub offers, those of Feather less its brands.
constexpr std::string_view k_icons =
    " activity airplay alert-circle alert-octagon alert-triangle align-center align-justify align-left "
    "align-right anchor "
    "aperture archive arrow-down-circle arrow-down-left arrow-down-right arrow-down arrow-left-circle "
    "arrow-left "
    "arrow-right-circle arrow-right arrow-up-circle arrow-up-left arrow-up-right arrow-up at-sign award "
    "bar-chart-2 "
    "bar-chart battery-charging battery bell-off bell bluetooth bold book-open book bookmark box briefcase "
    "calendar "
    "camera-off camera cast check-circle check-square check chevron-down chevron-left chevron-right "
    "chevron-up "
    "chevrons-down chevrons-left chevrons-right chevrons-up circle clipboard clock cloud-drizzle "
    "cloud-lightning "
    "cloud-off cloud-rain cloud-snow cloud code command compass copy corner-down-left corner-down-right "
    "corner-left-down corner-left-up corner-right-down corner-right-up corner-up-left corner-up-right cpu "
    "credit-card "
    "crop crosshair database delete disc dollar-sign download-cloud download droplet edit-2 edit-3 edit "
    "external-link "
    "eye-off eye fast-forward feather file-minus file-plus file-text file film filter flag folder-minus "
    "folder-plus "
    "folder gift git-branch git-commit git-merge git-pull-request globe grid hard-drive hash headphones "
    "heart "
    "help-circle home image inbox info italic layers layout life-buoy link-2 link list loader lock log-in "
    "log-out mail "
    "map-pin map maximize-2 maximize menu message-circle message-square mic-off mic minimize-2 minimize "
    "minus-circle "
    "minus-square minus monitor moon more-horizontal more-vertical move music navigation-2 navigation "
    "octagon package "
    "paperclip pause-circle pause percent phone-call phone-forwarded phone-incoming phone-missed phone-off "
    "phone-outgoing phone pie-chart play-circle play plus-circle plus-square plus pocket power printer radio "
    "refresh-ccw refresh-cw repeat rewind rotate-ccw rotate-cw rss save scissors search send server settings "
    "share-2 "
    "share shield-off shield shopping-bag shopping-cart shuffle sidebar skip-back skip-forward slash sliders "
    "smartphone "
    "speaker square star stop-circle sun sunrise sunset table tablet tag target terminal thermometer "
    "thumbs-down "
    "thumbs-up toggle-left toggle-right trash-2 trash trending-down trending-up triangle truck tv type "
    "umbrella "
    "underline unlock upload-cloud upload user-check user-minus user-plus user-x user users video-off video "
    "voicemail "
    "volume-1 volume-2 volume-x volume watch wifi-off wifi wind x-circle x-square x zap-off zap zoom-in "
    "zoom-out ";

bool is_true(std::string_view text) {
  const auto value = lower(text);
  return value == "true" || value == "yes" || value == "on" || value == "y";
}

std::string line_of(const NodeView& view) {
  return "line " + std::to_string(view.node().range.start.line) + ": ";
}

class ActionReader {
 public:
  ActionReader(const LintOptions& options, const std::string& directory)
      : options_(options), directory_(directory) {}

  KnownAction run(const yaml::Document& document) {
    const NodeView root(document, document.root);
    inputs(root.find("inputs"));
    outputs(root.find("outputs"));
    if (!broken_.empty()) {
      problem("the metadata of the action cannot be read: " + broken_);
      action_.any_input = action_.any_output = true;
      return std::move(action_);
    }
    action_.name = root.find("name").text();
    if (action_.name.empty()) problem("the metadata of the action has no name");
    if (root.find("description").text().empty()) problem("the metadata of the action has no description");
    branding(root.find("branding"));
    runs(root.find("runs"));
    for (const auto& name : empty_deprecations_)
      problem("input \"" + name + "\" is deprecated, but its deprecationMessage is empty");
    return std::move(action_);
  }

 private:
  void problem(std::string message) {
    action_.problems.push_back(std::move(message) + " (" + directory_ + ")");
  }
  void broken(std::string message) { broken_ += (broken_.empty() ? "" : "; ") + message; }

  void inputs(const NodeView& list) {
    if (!list) return;
    if (!list.is_mapping() && !list.text().empty()) return broken(line_of(list) + "inputs must be a mapping");
    std::set<std::string> seen;
    list.each([&](const NodeView& key, const NodeView& value) {
      ActionInputFacts input;
      input.name = key.text();
      if (!seen.insert(lower(input.name)).second)
        broken(line_of(key) + "input \"" + input.name + "\" stands twice");
      bool has_default = false;
      value.each([&](const NodeView& name, const NodeView& given) {
        if (name.text() == "required") {
          if (!given.is_scalar()) broken(line_of(given) + "required must be true or false");
          input.required = is_true(given.text());
        } else if (name.text() == "default") {
          has_default = true;
        } else if (name.text() == "deprecationMessage") {
          input.deprecated = true;
          if (given.text().find_first_not_of(" \t\r\n") == std::string_view::npos)
            empty_deprecations_.push_back(input.name);
        } else if (name.text() != "description" && name.text() != "type") {
          broken(line_of(name) + "input \"" + input.name + "\" has no key \"" + std::string(name.text()) +
                 "\"");
        }
      });
      input.required = input.required && !has_default;
      action_.inputs.push_back(std::move(input));
    });
  }

  void outputs(const NodeView& list) {
    if (!list) return;
    if (!list.is_mapping() && !list.text().empty())
      return broken(line_of(list) + "outputs must be a mapping");
    std::set<std::string> seen;
    list.each([&](const NodeView& key, const NodeView&) {
      if (!seen.insert(lower(key.text())).second)
        broken(line_of(key) + "output \"" + std::string(key.text()) + "\" stands twice");
      action_.outputs.emplace_back(key.text());
    });
  }

  void branding(const NodeView& section) {
    const auto color = lower(section.find("color").text());
    if (!color.empty() && std::find(k_colors.begin(), k_colors.end(), color) == k_colors.end()) {
      problem("branding knows no color \"" + color + "\"");
    }
    const auto icon = lower(section.find("icon").text());
    if (!icon.empty() && k_icons.find(" " + icon + " ") == std::string_view::npos)
      problem("branding knows no icon \"" + icon + "\"");
  }

  void refused(const NodeView& section, const Keys& keys, std::string_view kind) {
    for (const auto key : keys) {
      if (section.find(key))
        problem("\"" + std::string(key) + "\" does not go with an action of kind " + std::string(kind));
    }
  }

  void file(const NodeView& section, std::string_view key) {
    const auto path = section.find(key).text();
    if (path.empty() || !options_.read_file) return;
    const auto full = directory_.empty() ? std::string(path) : directory_ + "/" + std::string(path);
    if (!options_.read_file(full))
      problem("\"" + std::string(key) + "\" names the file " + std::string(path) + ", which does not exist");
  }

  void runs(const NodeView& section) {
    if (!section.is_mapping()) return problem("the metadata of the action has no runs");
    const auto use = section.find("using").text();
    if (use == "composite") {
      if (!section.find("steps").is_sequence()) problem("a composite action needs steps");
      refused(section,
              {"main", "pre", "pre-if", "post", "post-if", "image", "pre-entrypoint", "entrypoint",
               "post-entrypoint", "args", "env"},
              use);
    } else if (use == "docker") {
      action_.is_docker = true;
      const auto image = section.find("image").text();
      if (image.empty()) problem("a container action needs an image");
      refused(section, {"main", "pre", "post", "steps"}, use);
      if (!image.starts_with("docker://")) file(section, "image");
      for (const auto* key : {"pre-entrypoint", "entrypoint", "post-entrypoint"}) file(section, key);
    } else if (use.starts_with("node")) {
      if (section.find("main").text().empty()) problem("a JavaScript action needs main");
      refused(section, {"steps", "image", "pre-entrypoint", "entrypoint", "post-entrypoint", "args", "env"},
              use);
      for (const auto* key : {"main", "pre", "post"}) file(section, key);
      for (const std::string key : {"pre", "post"}) {
        if (section.find(key + "-if") && !section.find(key))
          problem("\"" + key + "-if\" stands without \"" + key + "\"");
      }
      if (use != "node20" && use != "node24")
        problem("the runner \"" + std::string(use) + "\" is not offered any more; use node20 or node24");
    } else {
      problem("runs.using \"" + std::string(use) + "\" is not known");
    }
  }

  const LintOptions& options_;
  const std::string& directory_;
  KnownAction action_;
  std::string broken_;
  std::vector<std::string> empty_deprecations_;
};

}  // namespace

KnownAction read_local_action(const LintOptions& options, std::string_view text,
                              const std::string& directory) {
  const auto parsed = yaml::parse(text);
  if (const auto* problem = std::get_if<yaml::Problem>(&parsed)) {
    KnownAction action;
    action.any_input = action.any_output = true;
    action.problems.push_back("the metadata of the action cannot be read: " + problem->message + " (" +
                              directory + ")");
    return action;
  }
  const auto& document = std::get<yaml::Document>(parsed);
  if (document.root == yaml::k_no_node) return {};
  return ActionReader(options, directory).run(document);
}

}  // namespace drydock::parser::lint
