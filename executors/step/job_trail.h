#pragma once
// What the steps of a job left, stage by stage, so that a later run can go on with the job at one of its steps: results,
// what they set for later steps, the state of actions. Secrets stand in it by their names; a text that holds another
// masked value is not kept. Plain values, part of JobRequest and JobResult.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/json.h"

namespace drydock::step {

struct KeptText {
  struct Piece {
    std::string text;
    bool is_secret = false;  // text is its name
  };
  std::vector<Piece> pieces;
  bool withheld = false;
};

using KeptTexts = std::vector<std::pair<std::string, KeptText>>;

/// Of one use of an action: what lives from its pre to its post stage.
struct KeptUse {
  KeptTexts state;
  KeptText steps;                   // composite: results of its steps, as JSON
  std::vector<std::size_t> posts;   // composite: steps with a post stage
  bool post_registered = false;
  std::vector<KeptUse> nested;
};

/// A problem matcher that came or went: the text of its file, or the owner that was removed.
struct MatcherChange {
  std::string file;   // name, for messages; empty for a removal
  std::string text;   // of the file, or the owner
};

struct StageTrail {
  std::string position;     // "3", "3.pre", "3.post"
  std::string id, name;
  std::string fingerprint;  // of the step as the workflow wrote it
  std::string waited_for;   // of a background step: position of the step that took its result
  Outcome outcome = Outcome::none, conclusion = Outcome::none;
  int exit_code = 0;
  std::string summary;      // masked
  KeptTexts outputs, environment;
  std::vector<KeptText> path;
  std::vector<MatcherChange> matchers;
  KeptText artifacts;       // all that was declared until then, as GITHUB_ARTIFACTS_LIST tells it; empty where it declared none
  bool masks = false;       // it masked values that are no secrets of the run, so they are not known any more
  bool logs_in = false;     // it wrote credentials, which ended with the job
  KeptUse use;
};

/// What became of files that steps changed outside of the job's own places.
enum class OutsideChanges {
  none,      // there are none, or they are the machine's own
  kept,      // beside the workspace
  lost,
};

struct JobTrail {
  std::string workspace, isolation;
  OutsideChanges outside = OutsideChanges::none;
  std::vector<StageTrail> stages;  // in the order in which they came into force
};

/// A job that goes on at one of its steps with what an earlier run of it has left.
struct GoOn {
  std::size_t first = 0;  // index of the step
  std::string run;        // for messages
  JobTrail trail;
};

OrderedJson to_json(const JobTrail& trail);
/// Throws as the JSON library does.
JobTrail job_trail_from(const OrderedJson& json);

}  // namespace drydock::step
