#include <CLI/CLI.hpp>

#include <cstdio>

#include "executors/base/json.h"
#include "runner/build/build_machine.h"
#include "runner/cli/cli.h"
#include "runner/cli/common.h"
#include "runner/cli/exit_code.h"
#include "runner/result/create.h"
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

int inspect_image(const InspectArguments& arguments) {
  const auto reference = oci::parse_reference(arguments.reference);
  if (!reference.ok()) return report(reference.error());
  const auto registry = open_registry();
  if (!registry.ok()) return report(registry.error());
  const auto image = inspect(**registry, *reference, interrupted());
  if (!image.ok()) return report(image.error());
  const auto text = arguments.raw ? image->raw : arguments.json ? dump_json(to_json(*image), 2) + "\n" : to_text(*image);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return k_exit_ok;
}

struct CreateArguments {
  std::vector<std::string> tags, sources, annotations;
  std::string reference;
  bool append = false, dry_run = false;
};

Result<int> create_image(const CreateArguments& arguments) {
  DRYDOCK_ASSIGN(const auto registry, open_registry());
  DRYDOCK_ASSIGN(const auto annotations, assignments(arguments.annotations, "--annotation"));
  for (const auto& tag : arguments.tags) {
    CreateRequest request;
    DRYDOCK_ASSIGN(request.target, oci::parse_reference(tag));
    for (const auto& text : arguments.sources) {
      DRYDOCK_ASSIGN(auto source, oci::parse_reference(text));
      request.sources.push_back(std::move(source));
    }
    request.existing = arguments.append ? Existing::kept : Existing::replaced;
    request.annotations = annotations;
    if (arguments.dry_run) {
      DRYDOCK_ASSIGN(const auto index, combined_index(*registry, request, interrupted()));
      std::printf("%s\n", oci::serialize(index).c_str());
      continue;
    }
    DRYDOCK_ASSIGN(const auto made, create(*registry, request, interrupted()));
    std::printf("%s %s\n", request.target.with_default_tag().familiar().c_str(), made.digest.to_string().c_str());
  }
  return static_cast<int>(k_exit_ok);
}

Result<int> annotate_image(const CreateArguments& arguments) {
  DRYDOCK_ASSIGN(const auto registry, open_registry());
  DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(arguments.reference));
  DRYDOCK_ASSIGN(const auto annotations, assignments(arguments.annotations, "--annotation"));
  DRYDOCK_ASSIGN(const auto made, annotate(*registry, reference, annotations, interrupted()));
  std::printf("%s %s\n", reference.with_default_tag().familiar().c_str(), made.digest.to_string().c_str());
  return static_cast<int>(k_exit_ok);
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
  DRYDOCK_ASSIGN(const auto verification, verify(*registry, reference, wanted, interrupted()));
  if (arguments.json) {
    auto findings = nlohmann::json::array();
    for (const auto& f : verification.findings) {
      findings.push_back({{"platform", f.platform.to_string()}, {"ok", f.ok}, {"text", f.text}, {"mend", f.mend}});
    }
    std::printf("%s\n", nlohmann::json{{"schema", 1}, {"digest", verification.top.digest.to_string()}, {"findings", findings}}.dump(2).c_str());
  } else {
    for (const auto& f : verification.findings) {
      std::printf("%s  %-16s %s\n", f.ok ? "ok  " : "FAIL", f.platform.to_string().c_str(), f.text.c_str());
      if (!f.mend.empty()) std::printf("      mend: %s\n", f.mend.c_str());
    }
  }
  return static_cast<int>(verification.ok() ? k_exit_ok : k_exit_failed);
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
  look->callback([inspected, &chosen] { chosen.run = [inspected] { return inspect_image(*inspected); }; });

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
  note->add_option("--annotation", noted->annotations, "NAME=VALUE")->required();
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
