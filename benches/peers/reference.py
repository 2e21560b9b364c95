#!/usr/bin/env python3
"""The jobs of JOBS.md in plain Python: what every output is compared with.

usage: reference.py audit|conversation < in > out"""
import sys, json, datetime as dt
NOW = "2026-01-01T00:00:00.000000000Z"
def g(o, *path):
    for p in path:
        if not isinstance(o, dict): return None
        o = o.get(p)
    return o
def clean(o):
    if isinstance(o, dict):
        r = {k: clean(v) for k, v in o.items()}
        return {k: v for k, v in r.items() if v is not None and v != {}}
    return o
def first(*a):
    for x in a:
        if x is not None: return x
def audit(e):
    def pay(pfx, verbs, *path):
        return first(*(g(e, f"{pfx}.{v}", *path) for v in verbs))
    K = ("created", "updated", "deleted"); U = ("added", "updated", "deleted")
    t = dt.datetime.fromtimestamp(e["effective_at"], dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    o = {"id": e["id"], "type": e["type"], "effective_at": t,
      "actor": {"type": g(e, "actor", "type"),
        "user": {k: first(g(e, "actor", "session", "user", k), g(e, "actor", "user", k)) for k in ("id", "email")},
        "service_account": {"id": g(e, "actor", "service_account", "id")},
        "api_key": {"id": g(e, "actor", "api_key", "id"), "type": g(e, "actor", "api_key", "type"),
          "user": {k: g(e, "actor", "api_key", "user", k) for k in ("id", "email")},
          "service_account": {"id": g(e, "actor", "api_key", "service_account", "id")}}},
      "project": {"id": g(e, "project", "id"), "name": g(e, "project", "name")},
      "api_key": {"id": pay("api_key", K, "id"), "type": pay("api_key", K, "type"),
        "user": {"id": pay("api_key", K, "user", "id"), "email": pay("api_key", K, "user", "email")},
        "service_account": {"id": pay("api_key", K, "service_account", "id")}},
      "user": {"id": pay("user", U, "id"), "email": pay("user", U, "email"),
        "role": first(pay("user", U, "data", "role"), pay("user", U, "changes_requested", "role"))},
      "service_account": {"id": pay("service_account", K, "id"),
        "name": first(pay("service_account", K, "data", "name"), pay("service_account", K, "name"))},
      "p_log_type": "OpenAI.Audit", "p_event_time": t, "p_parse_time": NOW, "p_row_id": "OpenAI.Audit:" + e["id"]}
    o = clean(o)
    em = []
    for x in (g(o, "actor", "user", "email"), g(o, "actor", "api_key", "user", "email"), g(o, "api_key", "user", "email"), g(o, "user", "email")):
        if x is not None and x not in em: em.append(x)
    if em: o["p_any_emails"] = em
    return o
def conv(e):
    us = round(e["created_at"] * 1e6)
    t = dt.datetime.fromtimestamp(us // 1000000, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%06dZ" % (us % 1000000)
    labels = []
    for m in e["messages"]["data"]:
        c = m.get("content")
        if c and c.get("type") == "text" and isinstance(c.get("value"), str):
            labels.append({"key": m["author"]["role"], "value": c["value"]})
    return {"metadata": {"event_timestamp": t, "event_type": "GENERIC_EVENT", "vendor_name": "OpenAI", "product_name": "ChatGPT Audit Logs"},
      "principal": {"user": {"userid": e["user_id"], "email_addresses": [e["user_email"]], "attribute": {"labels": labels}},
        "resource": {"resource_subtype": e["title"], "name": e["object"], "product_object_id": e["id"]}},
      "additional": {"fields": {"workspace_id": e["workspace_id"]}}}
if __name__ == "__main__":
    f = {"audit": audit, "conversation": conv}[sys.argv[1]]
    w = sys.stdout.write
    for line in sys.stdin:
        w(json.dumps(f(json.loads(line)), ensure_ascii=False, separators=(",", ":")) + "\n")
