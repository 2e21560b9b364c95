//! Every family of records: each documented kind is in the fixtures, becomes an event of a type that says what
//! happened, and gives nothing of its content away.

#[path = "data/kit.rs"]
mod kit;

use std::collections::{BTreeMap, BTreeSet};

use logmill::plan::Content;

/// The kinds of the families that name theirs, by source.
const KINDS: &[(&str, &str)] = &[
    (
        "openai_compliance_auth",
        "login_success login_failed login_failure token_issued logout_success signup_success \
         password_reset_initiated",
    ),
    (
        "openai_compliance_audit",
        "LIST_WORKSPACE_LOG_FILES USER_ROLE_UPDATED UPDATE_WORKSPACE_USER USER_DELETE USER_LOGGED_OUT_BY_ADMIN \
         WORKSPACE_TOGGLE_FEATURE WORKSPACE_SET_API_IP_ALLOWLIST WORKSPACE_SET_FEDRAMP_BANNER \
         WORKSPACE_SET_SHARING_PERMISSION WORKSPACE_SET_IS_DISCOVERABLE WORKSPACE_SET_SYSTEM_INSTRUCTION \
         WORKSPACE_SET_POLICY INVITE_SEND INVITE_ACCEPT INVITE_ACCEPT_ALL SESSION_LOGOUT_ALL SESSION_REVOKE \
         APP_CREATE APP_PUBLISH APP_UPDATE_ACCESS_POLICY APP_ALLOW_USER APP_DISALLOW_USER APP_SET_ENABLED_ACTIONS \
         SUBSCRIPTION_SET_USAGE_ALERTS CONVERSATION_SHARE DELETE_MEMORY GET_CODE_ENVIRONMENT DOMAIN_CREATE \
         DOWNLOAD_RECORDING_TRANSCRIPT FILE_DOWNLOAD GROUP_EDIT GROUP_ADD_USERS GROUP_REMOVE_USER \
         ADD_WORKSPACE_DIRECTORY_GROUP_USER DELETE_WORKSPACE_DIRECTORY_GROUP_USER SKILL_SHARE \
         PROJECT_UPDATE_SHARING CUSTOM_GPT_CHANGE_OWNER DELETE_PROJECT_CONNECTOR_SCOPE ROLE_CREATE ROLE_UPDATE \
         ROLE_DELETE ROLE_ASSIGN ROLE_UNASSIGN ROLE_SET_PLUGIN_PERMISSIONS ROLE_SET_CONNECTOR_PERMISSIONS \
         ROLE_SET_ALL_CONNECTOR_PERMISSIONS ROLE_UPDATE_BINDING_PERMISSIONS PLUGIN_SHARE \
         PLUGIN_UPDATE_INSTALLATION_POLICY",
    ),
    ("openai_compliance_app", "request response"),
    ("openai_compliance_app_auth", "link unlink"),
    (
        "openai_compliance_codex",
        "PROMPT_SENT PROMPT_RESPONSE_RECEIVED TOOL_CALL_COMPLETED APP_MCP_CALL ACCESS_TOKEN_CREATED SESSION_ARCHIVED",
    ),
    (
        "openai_compliance_codex_security",
        "SCAN_CONFIGURATION_CREATED SCAN_CONFIGURATION_UPDATED SCAN_FINDING_UPDATED PROPOSED_PATCH_PR_CREATED",
    ),
    (
        "openai_compliance_agents",
        "AGENT_CREATED AGENT_UPDATED AGENT_PUBLISHED AGENT_DELETED AGENT_RUN_CREATED AGENT_RUN_MESSAGE \
         AGENT_RUN_COMPLETED AGENT_RUN_FAILED SKILL_USED MEMORY_READ MEMORY_WRITE MEMORY_DELETE \
         CONNECTOR_CALL_REQUESTED CONNECTOR_CALL_COMPLETED CONNECTOR_OAUTH_RESOLVED TRIGGER_CREATED TRIGGER_UPDATED \
         TRIGGER_DELETED",
    ),
    ("openai_compliance_message", "CONVERSATION_MESSAGE CONVERSATION_DELETED"),
    ("openai_compliance_costs", "codex ChatGPT Work"),
    (
        "openai_gpt",
        "compliance.workspace.gpt compliance.workspace.gpt.configuration compliance.workspace.gpt.sharing",
    ),
    (
        "openai_memory",
        "compliance.workspace.user.memory compliance.workspace.user.memory.context \
         compliance.workspace.user.memory.entry",
    ),
];

/// The sources whose records tell a state and no action, and the one that also takes lists of log files.
const STATES: &[&str] = &[
    "openai_automation",
    "openai_canvas",
    "openai_codex_environment",
    "openai_codex_task",
    "openai_compliance",
    "openai_compliance_costs",
    "openai_conversation",
    "openai_file",
    "openai_gpt",
    "openai_memory",
    "openai_project",
    "openai_recording",
    "openai_user",
    "openai_workspace_object",
];

/// Cases in which some records are refused on purpose.
const WITH_BAD_ONES: &[&str] = &[
    "openai_compliance/generic",
    "openai_compliance_auth/times",
    "openai_compliance_codex/edge",
    "openai_compliance_costs/usage",
    "openai_conversation/bad",
];

fn families() -> Vec<String> {
    let all = kit::built_in().sources.keys();
    all.filter(|name| *name != "openai_audit").cloned().collect()
}

#[test]
fn every_documented_kind_becomes_an_event_that_says_what_happened() {
    let plan = kit::plan(&["udm"], Content::Metadata);
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for family in families() {
        for input in kit::inputs(&family) {
            let ran = kit::run(&plan, &kit::read(&input), &kit::settings());
            let bad = WITH_BAD_ONES.iter().any(|case| input.parent().is_some_and(|p| p.ends_with(case)));
            assert_eq!(!ran.letters().is_empty(), bad, "{}", input.display());
            for (source, types) in plan.sources.iter().zip(&ran.counts.sources) {
                for (kind, counts) in types {
                    let counts = &counts.targets[0];
                    if counts.normalized > 0 {
                        kinds.entry(source.name.clone()).or_default().insert(kind.to_string());
                    }
                    // The odd cases have records without an actor, which no other type takes.
                    let state = STATES.contains(&source.name.as_str());
                    let odd = input.parent().is_some_and(|p| p.ends_with("edge"));
                    assert!(
                        state || odd || counts.generic == 0,
                        "{}: {kind} of {}",
                        input.display(),
                        source.name
                    );
                }
            }
        }
    }
    for family in families() {
        assert!(kinds.contains_key(&family), "no record of {family} becomes an event");
    }
    for (source, documented) in KINDS {
        for kind in documented.split_whitespace() {
            assert!(kinds[*source].contains(kind), "no {kind} of {source}");
        }
    }
}

#[test]
fn collectors_copies_keep_their_source() {
    let plan = kit::plan(&["udm"], Content::Metadata);
    let input = kit::fixture("openai_compliance/collectors/input.ndjson");
    let ran = kit::run(&plan, &kit::read(&input), &kit::settings());
    let found: BTreeSet<&str> = plan
        .sources
        .iter()
        .zip(&ran.counts.sources)
        .filter(|(_, types)| !types.is_empty())
        .map(|(source, _)| source.name.as_str())
        .collect();
    let logs = families().into_iter().filter(|name| name.starts_with("openai_compliance")).count();
    assert_eq!(found.len(), logs, "{found:?}");
}

#[test]
fn no_family_gives_its_content_away() {
    let plan = kit::plan(&["udm", "panther"], Content::Metadata);
    let full = kit::plan(&["udm", "panther"], Content::Full);
    for family in families() {
        let bears = plan.sources.iter().any(|s| s.name == family && s.bears_content);
        let mut shown = 0;
        for input in kit::inputs(&family) {
            let bytes = kit::read(&input);
            let ran = kit::run(&plan, &bytes, &kit::settings());
            let metrics = ran.metrics.to_string();
            for door in [&ran.targets[0], &ran.targets[1], &ran.dead, &metrics.into_bytes()] {
                assert!(!kit::contains(door, kit::MARKER), "{}", input.display());
            }
            let ran = kit::run(&full, &bytes, &kit::settings());
            shown += usize::from(kit::contains(&ran.targets[0], kit::MARKER));
        }
        assert!(!bears || shown > 0, "{family}: mode full shows the content, so its absence means something");
    }
}
