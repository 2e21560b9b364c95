#!/usr/bin/env python3
"""The jobs of JOBS.md in ClickHouse (chDB): JSONEachRow with a declared schema, SQL, JSONEachRow.

usage: clickhouse_job.py audit|conversation IN THREADS > OUT"""
import sys, chdb
kind, inp, threads = sys.argv[1:]
N = "Nullable(String)"
IM = f"Tuple(id {N}, email {N})"; ID = f"Tuple(id {N})"
KEY = f"Tuple(id {N}, type {N}, user {IM}, service_account {ID})"
PAY = f"Tuple(id {N}, email {N}, name {N}, data Tuple(role {N}, name {N}), changes_requested Tuple(role {N}))"
S = f"""SETTINGS max_threads={threads}, input_format_json_ignore_unknown_keys_in_named_tuple=1, input_format_json_defaults_for_missing_elements_in_named_tuple=1, input_format_skip_unknown_fields=1,
 input_format_import_nested_json=0, output_format_json_escape_forward_slashes=0, output_format_json_skip_null_value_in_named_tuples=1, output_format_json_named_tuples_as_objects=1, input_format_null_as_default=1, engine_file_truncate_on_insert=1, output_format_json_quote_64bit_integers=0, input_format_max_bytes_to_read_for_schema_inference=1"""
if kind == "audit":
    K = ["created", "updated", "deleted"]; U = ["added", "updated", "deleted"]
    sch = f"id String, type String, effective_at Int64, actor Tuple(type {N}, session Tuple(user {IM}), user {IM}, service_account {ID}, api_key {KEY}), project Tuple(id {N}, name {N})"
    for v in K: sch += f", `api_key.{v}` {KEY}, `service_account.{v}` {PAY}"
    for v in U: sch += f", `user.{v}` {PAY}"
    def pay(pfx, vs, p):
        return "coalesce(" + ", ".join("tupleElement(`%s.%s`, %s)" % (pfx, v, "'" + p[0] + "'") if len(p) == 1 else "tupleElement(tupleElement(`%s.%s`, '%s'), '%s')" % (pfx, v, *p) for v in vs) + ")"
    q = f"""
    WITH concat(formatDateTime(toDateTime(effective_at, 'UTC'), '%Y-%m-%dT%H:%i:%S'), '.000000000Z') AS t,
      coalesce(actor.session.user.id, actor.user.id) AS aid, coalesce(actor.session.user.email, actor.user.email) AS amail,
      {pay('api_key', K, ['user','email'])} AS kmail, {pay('user', U, ['email'])} AS umail
    SELECT id, type, t AS effective_at_,
      CAST((actor.type, (aid, amail), tuple(actor.service_account.id), (actor.api_key.id, actor.api_key.type, (actor.api_key.user.id, actor.api_key.user.email), tuple(actor.api_key.service_account.id))),
        'Tuple(type {N}, user {IM}, service_account {ID}, api_key {KEY})') AS actor_,
      project,
      CAST(({pay('api_key', K, ['id'])}, {pay('api_key', K, ['type'])}, ({pay('api_key', K, ['user','id'])}, kmail), tuple({pay('api_key', K, ['service_account','id'])})), '{KEY}') AS api_key,
      CAST(({pay('user', U, ['id'])}, umail, coalesce({pay('user', U, ['data','role'])}, {pay('user', U, ['changes_requested','role'])})), 'Tuple(id {N}, email {N}, role {N})') AS user,
      CAST(({pay('service_account', K, ['id'])}, coalesce({pay('service_account', K, ['data','name'])}, {pay('service_account', K, ['name'])})), 'Tuple(id {N}, name {N})') AS service_account,
      'OpenAI.Audit' AS p_log_type, t AS p_event_time, '2026-01-01T00:00:00.000000000Z' AS p_parse_time, concat('OpenAI.Audit:', id) AS p_row_id,
      arrayDistinct(arrayFilter(x -> x IS NOT NULL, [amail, actor.api_key.user.email, kmail, umail])) AS p_any_emails
    FROM file('{inp}', JSONEachRow, '{sch.replace("'", "''")}')
    """
    q = f"INSERT INTO FUNCTION file('stdout', JSONEachRow, 'id String, type String, effective_at String, actor Tuple(type {N}, user {IM}, service_account {ID}, api_key {KEY}), project Tuple(id {N}, name {N}), api_key {KEY}, user Tuple(id {N}, email {N}, role {N}), service_account Tuple(id {N}, name {N}), p_log_type String, p_event_time String, p_parse_time String, p_row_id String, p_any_emails Array(String)') {q} {S}"
else:
    sch = f"created_at Float64, id String, object String, title {N}, user_email String, user_id String, workspace_id String, messages Tuple(data Array(Tuple(author Tuple(role {N}), content Nullable(Tuple(type {N}, value {N})))))"
    lab = "arrayMap(m -> CAST((m.author.role, tupleElement(m.content, 'value')), 'Tuple(key Nullable(String), value Nullable(String))'), arrayFilter(m -> tupleElement(m.content, 'type') = 'text' AND tupleElement(m.content, 'value') IS NOT NULL, messages.data))"
    MT = "Tuple(event_timestamp String, event_type String, vendor_name String, product_name String)"
    PT = f"Tuple(user Tuple(userid String, email_addresses Array(String), attribute Tuple(labels Array(Tuple(key {N}, value {N})))), resource Tuple(resource_subtype {N}, name String, product_object_id String))"
    AT = "Tuple(fields Tuple(workspace_id String))"
    q = f"""
    SELECT CAST((concat(formatDateTime(fromUnixTimestamp64Micro(toInt64(round(created_at*1000000)), 'UTC'), '%Y-%m-%dT%H:%i:%S.%f'), 'Z'), 'GENERIC_EVENT', 'OpenAI', 'ChatGPT Audit Logs'), '{MT}') AS metadata,
      CAST(((user_id, [user_email], tuple({lab})), (title, object, id)), '{PT}') AS principal, CAST(tuple(tuple(workspace_id)), '{AT}') AS additional
    FROM file('{inp}', JSONEachRow, '{sch}')"""
    q = f"INSERT INTO FUNCTION file('stdout', JSONEachRow, 'metadata {MT}, principal {PT}, additional {AT}') {q} {S}, allow_experimental_nullable_tuple_type=1"
chdb.query(q)
