#include <CLI/CLI.hpp>

#include <cstdio>

#include "executors/base/json.h"
#include "runner/build/build_machine.h"
#include "runner/cli/cli.h"
#include "runner/cli/common.h"
#include "runner/cli/exit_code.h"
#include "runner/result/create.h"
#include "runner/result/inspect.h"
#include "runner/result/verify.h"

namespace drydock::runner {

namespace {

Result<std::shared_ptr<oci::Registry>> open_registry() {
  DRYDOCK_ASSIGN(const auto config, load_config({}));
  return build::make_registry(make_curl_client(), engine_options(config), {}, nullptr);
}

struct InspectArguments {
  std::string reference;
  bool json = false, raw = false;
};

Result<int> inspect_image(const InspectArguments& arguments) {
  DRYDOCK_ASSIGN(const auto registry, open_registry());
  DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(arguments.reference));
  DRYDOCK_ASSIGN(const auto inspected, inspect(*registry, reference.with_default_tag(), interrupted()));
  const auto text = arguments.raw    ? inspected.image.text
                    : arguments.json ? dump_json(to_json(inspected), 2) + "\n"
                                     : readable(inspected);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return static_cast<int>(k_exit_ok);
}

struct CreateArguments {
  std::vector<std::string> tags, sources, annotations;
  std::string reference;
  bool append = false, dry_run = false;
};

Result<std::vector<oci::Reference>> references(const std::vector<std::string>& texts) {
  std::vector<oci::Reference> parsed;
  for (const auto& text : texts) {
    DRYDOCK_ASSIGN(auto reference, oci::parse_reference(text));
    parsed.push_back(reference.with_default_tag());
  }
  return parsed;
}

int print_created(const CreateResult& made, bool dry_run) {
  if (dry_run) std::printf("%s\n", made.text.c_str());
  for (const auto& platform : made.replaced) std::fprintf(stderr, "replaced %s\n", platform.c_str());
  for (const auto& reference : made.moved) std::printf("%s %s\n", reference.c_str(), made.descriptor.digest.to_string().c_str());
  return k_exit_ok;
}

Result<int> create_image(const CreateArguments& arguments) {
  DRYDOCK_ASSIGN(const auto registry, open_registry());
  CreateRequest request;
  DRYDOCK_ASSIGN(request.targets, references(arguments.tags));
  DRYDOCK_ASSIGN(request.sources, references(arguments.sources));
  DRYDOCK_ASSIGN(request.annotations, assignments(arguments.annotations, "--annotation"));
  request.append = arguments.append ? Append::yes : Append::no;
  request.dry_run = arguments.dry_run ? DryRun::yes : DryRun::no;
  DRYDOCK_ASSIGN(const auto made, create(*registry, request, interrupted()));
  return print_created(made, arguments.dry_run);
}

Result<int> annotate_image(const CreateArguments& arguments) {
  DRYDOCK_ASSIGN(const auto registry, open_registry());
  AnnotateRequest request;
  DRYDOCK_ASSIGN(request.reference, oci::parse_reference(arguments.reference));
  request.reference = request.reference.with_default_tag();
  DRYDOCK_ASSIGN(request.index, assignments(arguments.annotations, "--annotation"));
  request.dry_run = arguments.dry_run ? DryRun::yes : DryRun::no;
  DRYDOCK_ASSIGN(const auto made, annotate(*registry, request, interrupted()));
  return print_created(made, arguments.dry_run);
}

int status_of(const Result<int>& result) { return result.ok() ? *result : report(result.error()); }

struct VerifyArguments {
  std::string reference;
  std::vector<std::string> platforms;
  bool json = false;
};

Result<int> verify_image(const VerifyArguments& arguments) {
  DRYDOCK_ASSIGN(const auto registry, open_registry());
  DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(arguments.reference));
  std::vector<Platform> wanted;
  for (const auto& text : arguments.platforms) {
    DRYDOCK_ASSIGN(const auto platforms, parse_platforms(text));
    wanted.insert(wanted.end(), platforms.begin(), platforms.end());
  }
  DRYDOCK_ASSIGN(const auto verified, verify(*registry, reference.with_default_tag(), wanted, interrupted()));
  const auto text = arguments.json ? dump_json(to_json(verified), 2) + "\n" : readable(verified);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return static_cast<int>(verified.ok() ? k_exit_ok : k_exit_failed);
}

}  // namespace

void add_manifest_commands(CLI::App& app, Chosen& chosen) {
  auto* manifest = app.add_subcommand("manifest", "look at and make images in a registry");
  manifest->require_subcommand(1);
  auto inspected = std::make_shared<InspectArguments>();
  auto* look = manifest->add_subcommand("inspect", "show what is under a reference");
  look->add_option("reference", inspected->reference)->required();
  look->add_flag("--json", inspected->json, "as JSON");
  look->add_flag("--raw", inspected->raw, "the document as the registry has it");
  look->callback([inspected, &chosen] { chosen.run = [inspected] { return status_of(inspect_image(*inspected)); }; });

  auto created = std::make_shared<CreateArguments>();
  auto* make = manifest->add_subcommand("create", "make one index of several images");
  make->add_option("-t,--tag", created->tags, "name of the index")->required();
  make->add_option("sources", created->sources, "images")->required();
  make->add_option("--annotation", created->annotations, "NAME=VALUE of the index");
  make->add_flag("--append", created->append, "keep what the tag has");
  make->add_flag("--dry-run", created->dry_run, "print the index, push nothing");
  make->callback([created, &chosen] { chosen.run = [created] { return status_of(create_image(*created)); }; });

  auto noted = std::make_shared<CreateArguments>();
  auto* note = manifest->add_subcommand("annotate", "add annotations to an index");
  note->add_option("reference", noted->reference)->required();
  note->add_option("--annotation", noted->annotations, "NAME=VALUE; an empty value removes it")->required();
  note->add_flag("--dry-run", noted->dry_run, "print the index, push nothing");
  note->callback([noted, &chosen] { chosen.run = [noted] { return status_of(annotate_image(*noted)); }; });
}

void add_verify_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<VerifyArguments>();
  auto* command = app.add_subcommand("verify", "check that an image serves the platforms");
  command->add_option("reference", arguments->reference)->required();
  command->add_option("--platform", arguments->platforms, "linux/amd64,linux/arm64; all that are there when left out");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return status_of(verify_image(*arguments)); }; });
}

}  // namespace drydock::runner
