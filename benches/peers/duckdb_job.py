#!/usr/bin/env python3
"""The jobs of JOBS.md in DuckDB: read_ndjson with a declared schema, SQL, COPY to JSON.

usage: duckdb_job.py audit|conversation IN THREADS > OUT"""
import sys, duckdb
kind, inp, threads = sys.argv[1:]
con = duckdb.connect(); con.execute(f"SET threads={threads}"); con.execute("SET preserve_insertion_order=true")
KEY = "STRUCT(id VARCHAR, type VARCHAR, user STRUCT(id VARCHAR, email VARCHAR), service_account STRUCT(id VARCHAR))"
PAY = "STRUCT(id VARCHAR, email VARCHAR, name VARCHAR, data STRUCT(role VARCHAR, name VARCHAR), changes_requested STRUCT(role VARCHAR))"
if kind == "audit":
    cols = {"id": "VARCHAR", "type": "VARCHAR", "effective_at": "BIGINT",
      "actor": f"STRUCT(type VARCHAR, session STRUCT(user STRUCT(id VARCHAR, email VARCHAR)), user STRUCT(id VARCHAR, email VARCHAR), service_account STRUCT(id VARCHAR), api_key {KEY})",
      "project": "STRUCT(id VARCHAR, name VARCHAR)"}
    for v in ("created", "updated", "deleted"):
        cols["api_key." + v] = KEY; cols["service_account." + v] = PAY
    for v in ("added", "updated", "deleted"): cols["user." + v] = PAY
    q = """
    WITH r AS (SELECT *, strftime(make_timestamp(effective_at*1000000), '%Y-%m-%dT%H:%M:%S') || '.000000000Z' AS t,
       coalesce("api_key.created","api_key.updated","api_key.deleted") AS k,
       coalesce("user.added","user.updated","user.deleted") AS u,
       coalesce("service_account.created","service_account.updated","service_account.deleted") AS s,
       coalesce(actor.session.user.id, actor.user.id) AS aid, coalesce(actor.session.user.email, actor.user.email) AS amail
       FROM read_ndjson(?, columns={cols}))
    SELECT id, type, t AS effective_at,
      {'type': actor.type, 'user': {'id': aid, 'email': amail}, 'service_account': {'id': actor.service_account.id},
       'api_key': {'id': actor.api_key.id, 'type': actor.api_key.type, 'user': {'id': actor.api_key.user.id, 'email': actor.api_key.user.email}, 'service_account': {'id': actor.api_key.service_account.id}}} AS actor,
      project,
      {'id': k.id, 'type': k.type, 'user': {'id': k.user.id, 'email': k.user.email}, 'service_account': {'id': k.service_account.id}} AS api_key,
      {'id': u.id, 'email': u.email, 'role': coalesce(u.data.role, u.changes_requested.role)} AS "user",
      {'id': s.id, 'name': coalesce(s.data.name, s.name)} AS service_account,
      'OpenAI.Audit' AS p_log_type, t AS p_event_time, '2026-01-01T00:00:00.000000000Z' AS p_parse_time, 'OpenAI.Audit:' || id AS p_row_id,
      CASE WHEN len(em) = 0 THEN NULL ELSE em END AS p_any_emails
    FROM (SELECT *, list_filter([amail,
            CASE WHEN actor.api_key.user.email IS DISTINCT FROM amail THEN actor.api_key.user.email END,
            CASE WHEN k.user.email IS DISTINCT FROM amail AND k.user.email IS DISTINCT FROM actor.api_key.user.email THEN k.user.email END,
            CASE WHEN u.email IS DISTINCT FROM amail AND u.email IS DISTINCT FROM actor.api_key.user.email AND u.email IS DISTINCT FROM k.user.email THEN u.email END], lambda x: x IS NOT NULL) AS em FROM r)
    """
else:
    cols = {"created_at": "DOUBLE", "id": "VARCHAR", "object": "VARCHAR", "title": "VARCHAR", "user_email": "VARCHAR", "user_id": "VARCHAR", "workspace_id": "VARCHAR",
      "messages": "STRUCT(data STRUCT(author STRUCT(role VARCHAR), content STRUCT(type VARCHAR, value VARCHAR))[])"}
    q = """
    SELECT {'event_timestamp': strftime(make_timestamp(CAST(round(created_at*1000000) AS BIGINT)), '%Y-%m-%dT%H:%M:%S.%fZ'), 'event_type': 'GENERIC_EVENT', 'vendor_name': 'OpenAI', 'product_name': 'ChatGPT Audit Logs'} AS metadata,
      {'user': {'userid': user_id, 'email_addresses': [user_email],
        'attribute': {'labels': list_transform(list_filter(messages.data, lambda m: m.content.type = 'text' AND m.content.value IS NOT NULL), lambda m: {'key': m.author.role, 'value': m.content.value})}},
       'resource': {'resource_subtype': title, 'name': object, 'product_object_id': id}} AS principal,
      {'fields': {'workspace_id': workspace_id}} AS additional
    FROM read_ndjson(?, columns={cols}, maximum_object_size=67108864)"""
q = q.replace("{cols}", "{" + ", ".join("'%s': '%s'" % kv for kv in cols.items()) + "}").replace("?", "'%s'" % inp)
con.execute(f"COPY ({q}) TO '/dev/stdout' (FORMAT json)")
