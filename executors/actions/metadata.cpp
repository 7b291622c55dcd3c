#include <algorithm>
#include <cctype>
#include <chrono>

#include "executors/actions/csv.h"
#include "executors/actions/metadata_facts.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

constexpr std::string_view k_metadata = "docker/metadata-action";
constexpr int k_first_without_infix_comments = 6;

std::string dumped(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Metadata : public step::NativeAction {
 public:
  explicit Metadata(ActionServices services) : services_(std::move(services)) {}

  std::string_view name() const override { return k_metadata; }
  Status serves(std::string_view version) const override { return serves_majors(k_metadata, version, {4, 6}); }

  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> k_inputs{
        {"context", "workflow"}, {"images"}, {"tags"}, {"flavor"}, {"labels"}, {"annotations"}, {"sep-tags"},
        {"sep-labels"}, {"sep-annotations"}, {"bake-target"}, {"github-token", "${{ github.token }}"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs{
        "version", "tags", "tag-names", "labels", "annotations", "json",
        "bake-file-tags", "bake-file-labels", "bake-file-annotations", "bake-file"};
    return k_outputs;
  }

  Status main(step::ActionContext& context) const override {
    DRYDOCK_ASSIGN(const auto inputs, read_inputs(context));
    const auto source = context.input("context");
    if (!source.empty() && source != "workflow" && source != "git") {
      return make_error(ErrorCode::usage, "Invalid context source: " + source, "use workflow or git");
    }
    const auto now = services_.now ? services_.now() : std::chrono::system_clock::now();
    DRYDOCK_ASSIGN(const auto happening,
                   metadata::happening_of(context, source == "git" ? metadata::Source::git : metadata::Source::workflow, now));
    DRYDOCK_ASSIGN(const auto found, metadata::compute(inputs, happening, metadata::repository_of(context)));
    for (const auto& warning : found.warnings) context.warning(warning);
    show(context, "Docker tags", found.tags);
    show(context, "Docker labels", found.labels);
    return set_outputs(context, found);
  }

 private:
  static Result<metadata::Inputs> read_inputs(const step::ActionContext& context) {
    metadata::Inputs inputs;
    const auto major = major_of(version_of(context.uses()));
    const bool infix = major && *major < k_first_without_infix_comments;
    const ListOptions options{.commas = Commas::keep, .comments = infix ? Comments::anywhere : Comments::line_start};
    const std::pair<const char*, std::vector<std::string>*> k_lists[] = {
        {"images", &inputs.images}, {"tags", &inputs.tags}, {"flavor", &inputs.flavor}, {"labels", &inputs.labels},
        {"annotations", &inputs.annotations}};
    for (const auto& [name, into] : k_lists) {
      auto list = parse_list(context.raw_input(name), options);
      if (!list) return std::move(list).error().while_(std::string("reading input '") + name + "'");
      *into = std::move(*list);
    }
    if (const auto target = context.input("bake-target"); !target.empty()) inputs.bake_target = target;
    if (const auto levels = context.variable("DOCKER_METADATA_ANNOTATIONS_LEVELS"); !levels.empty()) {
      inputs.annotation_levels = split(levels, ',');
    }
    inputs.short_sha_length = context.variable("DOCKER_METADATA_SHORT_SHA_LENGTH");
    return inputs;
  }

  static void show(step::ActionContext& context, const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    context.start_group(title);
    context.info(join(lines, "\n"));
    context.end_group();
  }

  static std::string separator(const step::ActionContext& context, const char* input) {
    const auto text = context.raw_input(input);
    return text.empty() ? "\n" : text;
  }

  static Status set_outputs(step::ActionContext& context, const metadata::Outcome& found) {
    const auto wanted = context.variable("DOCKER_METADATA_SET_OUTPUT_ENV");
    const auto variables = wanted.empty() ? std::optional(true) : parse_bool(wanted);
    if (!variables) return make_error(ErrorCode::usage, "DOCKER_METADATA_SET_OUTPUT_ENV: \"" + wanted + "\" is no boolean");
    const auto set = [&](const std::string& name, const std::string& value) {
      context.set_output(name, value);
      if (!*variables) return;
      std::string variable = "DOCKER_METADATA_OUTPUT_";
      for (const char c : name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      context.export_variable(variable, value);
    };
    const auto tag_separator = separator(context, "sep-tags");
    set("version", found.version.main);
    set("tags", join(found.tags, tag_separator));
    set("tag-names", join(found.tag_names, tag_separator));
    set("labels", join(found.labels, separator(context, "sep-labels")));
    set("annotations", join(found.annotations, separator(context, "sep-annotations")));
    set("json", dumped(found.json, -1));

    DRYDOCK_TRY(make_directories(context.temp()));
    DRYDOCK_ASSIGN(auto directory, TempDir::create(context.temp(), "docker-metadata-action-"));
    const std::pair<std::string, const nlohmann::ordered_json*> k_files[] = {
        {"-tags", &found.bake_tags}, {"-labels", &found.bake_labels}, {"-annotations", &found.bake_annotations}, {"", &found.bake}};
    for (const auto& [suffix, json] : k_files) {
      const auto path = directory.path() + "/docker-metadata-action-bake" + suffix + ".json";
      DRYDOCK_TRY(write_file_atomic(path, dumped(*json, 2), 0644, Durability::relaxed));
      set("bake-file" + suffix, path);
    }
    directory.keep();
    return {};
  }

  ActionServices services_;
};

}  // namespace

NativeForm make_metadata(const ActionServices& services) { return std::make_shared<Metadata>(services); }

}  // namespace drydock::actions
