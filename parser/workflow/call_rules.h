#pragma once
// The rules between a job and the reusable workflow it calls: inputs, secrets, permissions. Internal to this room.

#include "parser/workflow/issue.h"
#include "parser/workflow/reader.h"

namespace drydock::parser::workflow {

/// Issues carry no file: those of `caller_issues` lie in the caller's file, those of `called_issues` in the called.
void check_call(const Job& job, const Workflow& called, Issues& caller_issues, Issues& called_issues);

/// What the called workflow and its jobs ask for, against what the calling job may give.
void check_call_permissions(const Job& job, const Workflow& called, PermissionsPolicy policy, Issues& caller_issues);

/// Sets `granted` of the called workflow's jobs; the calling job's becomes the called workflow's own when it has one.
void pass_permissions(Job& job, Workflow& called);

}  // namespace drydock::parser::workflow
