#!/usr/bin/env python3
"""The jobs of JOBS.md in Polars: scan_ndjson with a declared schema, a lazy select, sink_ndjson.

usage: polars_job.py audit|conversation IN THREADS > OUT"""
import os, sys
kind, inp, threads = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = threads  # read when the module loads
import polars as pl
S, T = pl.String, pl.Struct
IM = T({"id": S, "email": S}); ID = T({"id": S})
KEY = T({"id": S, "type": S, "user": IM, "service_account": ID})
PAY = T({"id": S, "email": S, "name": S, "data": T({"role": S, "name": S}), "changes_requested": T({"role": S})})
def f(e, *p):
    for x in p: e = e.struct.field(x)
    return e
c = pl.col
if kind == "audit":
    K = ["created", "updated", "deleted"]; U = ["added", "updated", "deleted"]
    sch = {"id": S, "type": S, "effective_at": pl.Int64, "actor": T({"type": S, "session": T({"user": IM}), "user": IM, "service_account": ID, "api_key": KEY}), "project": T({"id": S, "name": S})}
    for v in K: sch["api_key." + v] = KEY; sch["service_account." + v] = PAY
    for v in U: sch["user." + v] = PAY
    t = pl.from_epoch(c("effective_at"), time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    pay = lambda pfx, vs, *p: pl.coalesce(*[f(c(f"{pfx}.{v}"), *p) for v in vs])
    both = lambda x: pl.coalesce(f(c("actor"), "session", "user", x), f(c("actor"), "user", x))
    ak = f(c("actor"), "api_key")
    st = lambda **kw: pl.struct(**kw)
    em = pl.concat_list(both("email"), f(ak, "user", "email"), pay("api_key", K, "user", "email"), pay("user", U, "email")).list.drop_nulls().list.unique(maintain_order=True)
    q = pl.scan_ndjson(inp, schema=sch).select("id", "type", t.alias("effective_at"),
      st(type=f(c("actor"), "type"), user=st(id=both("id"), email=both("email")), service_account=st(id=f(c("actor"), "service_account", "id")),
         api_key=st(id=f(ak, "id"), type=f(ak, "type"), user=st(id=f(ak, "user", "id"), email=f(ak, "user", "email")), service_account=st(id=f(ak, "service_account", "id")))).alias("actor"),
      "project",
      st(id=pay("api_key", K, "id"), type=pay("api_key", K, "type"), user=st(id=pay("api_key", K, "user", "id"), email=pay("api_key", K, "user", "email")), service_account=st(id=pay("api_key", K, "service_account", "id"))).alias("api_key"),
      st(id=pay("user", U, "id"), email=pay("user", U, "email"), role=pl.coalesce(pay("user", U, "data", "role"), pay("user", U, "changes_requested", "role"))).alias("user"),
      st(id=pay("service_account", K, "id"), name=pl.coalesce(pay("service_account", K, "data", "name"), pay("service_account", K, "name"))).alias("service_account"),
      pl.lit("OpenAI.Audit").alias("p_log_type"), t.alias("p_event_time"), pl.lit("2026-01-01T00:00:00.000000000Z").alias("p_parse_time"),
      (pl.lit("OpenAI.Audit:") + c("id")).alias("p_row_id"), pl.when(em.list.len() > 0).then(em).alias("p_any_emails"))
else:
    sch = {"created_at": pl.Float64, "id": S, "object": S, "title": S, "user_email": S, "user_id": S, "workspace_id": S,
      "messages": T({"data": pl.List(T({"author": T({"role": S}), "content": T({"type": S, "value": S})}))})}
    e = pl.element()
    lab = f(c("messages"), "data").list.eval(pl.struct(key=f(e, "author", "role"), value=f(e, "content", "value")).filter((f(e, "content", "type") == "text") & f(e, "content", "value").is_not_null()))
    q = pl.scan_ndjson(inp, schema=sch).select(
      pl.struct(event_timestamp=pl.from_epoch((c("created_at") * 1e6).round().cast(pl.Int64), time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S.%6fZ"), event_type=pl.lit("GENERIC_EVENT"), vendor_name=pl.lit("OpenAI"), product_name=pl.lit("ChatGPT Audit Logs")).alias("metadata"),
      pl.struct(user=pl.struct(userid=c("user_id"), email_addresses=pl.concat_list(c("user_email")), attribute=pl.struct(labels=lab)), resource=pl.struct(resource_subtype=c("title"), name=c("object"), product_object_id=c("id"))).alias("principal"),
      pl.struct(fields=pl.struct(workspace_id=c("workspace_id"))).alias("additional"))
q.sink_ndjson("/dev/stdout")
