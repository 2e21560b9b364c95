#!/usr/bin/env python3
"""The jobs of JOBS.md as a pipeline script does them. usage: script.py json|orjson audit|conversation < in > out"""
import sys
from datetime import datetime, timezone
lib, kind = sys.argv[1:3]
if lib == "json":
    import json
    loads = json.loads
    enc = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    dumps = lambda o: enc(o).encode()
else:
    import orjson
    loads, dumps = orjson.loads, orjson.dumps
E = {}
def put(o, k, v):
    if v is not None and v != E: o[k] = v
def idmail(u):
    o = {}
    if u:
        put(o, "id", u.get("id")); put(o, "email", u.get("email"))
    return o
def key(k):
    o = {}
    if k:
        put(o, "id", k.get("id")); put(o, "type", k.get("type"))
        put(o, "user", idmail(k.get("user")))
        s = k.get("service_account")
        if s: put(o, "service_account", {"id": s.get("id")} if s.get("id") is not None else None)
    return o
def audit(e):
    g = e.get
    t = datetime.fromtimestamp(e["effective_at"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    o = {"id": e["id"], "type": e["type"], "effective_at": t}
    a = g("actor"); emails = []
    if a:
        x = {}
        put(x, "type", a.get("type"))
        u = idmail(a.get("user")); s = a.get("session")
        if s: u.update(idmail(s.get("user")))
        put(x, "user", u)
        sa = a.get("service_account")
        if sa and sa.get("id") is not None: x["service_account"] = {"id": sa["id"]}
        ak = key(a.get("api_key")); put(x, "api_key", ak); put(o, "actor", x)
        emails.append(u.get("email")); emails.append(ak.get("user", E).get("email"))
    p = g("project")
    if p:
        x = {}; put(x, "id", p.get("id")); put(x, "name", p.get("name")); put(o, "project", x)
    k = key(g("api_key.created") or g("api_key.updated") or g("api_key.deleted")); put(o, "api_key", k)
    emails.append(k.get("user", E).get("email"))
    u = g("user.added") or g("user.updated") or g("user.deleted")
    if u:
        x = idmail(u); r = u.get("data", E).get("role")
        put(x, "role", r if r is not None else u.get("changes_requested", E).get("role")); put(o, "user", x)
        emails.append(x.get("email"))
    s = g("service_account.created") or g("service_account.updated") or g("service_account.deleted")
    if s:
        x = {}; put(x, "id", s.get("id")); n = s.get("data", E).get("name")
        put(x, "name", n if n is not None else s.get("name")); put(o, "service_account", x)
    o["p_log_type"] = "OpenAI.Audit"; o["p_event_time"] = t
    o["p_parse_time"] = "2026-01-01T00:00:00.000000000Z"; o["p_row_id"] = "OpenAI.Audit:" + e["id"]
    em = list(dict.fromkeys(m for m in emails if m))
    if em: o["p_any_emails"] = em
    return o
def conv(e):
    us = round(e["created_at"] * 1e6)
    t = datetime.fromtimestamp(us // 1000000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%06dZ" % (us % 1000000)
    labels = [{"key": m["author"]["role"], "value": c["value"]} for m in e["messages"]["data"]
              if (c := m["content"]) and c["type"] == "text" and isinstance(c.get("value"), str)]
    return {"metadata": {"event_timestamp": t, "event_type": "GENERIC_EVENT", "vendor_name": "OpenAI", "product_name": "ChatGPT Audit Logs"},
      "principal": {"user": {"userid": e["user_id"], "email_addresses": [e["user_email"]], "attribute": {"labels": labels}},
        "resource": {"resource_subtype": e["title"], "name": e["object"], "product_object_id": e["id"]}},
      "additional": {"fields": {"workspace_id": e["workspace_id"]}}}
f = audit if kind == "audit" else conv
w = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    w(dumps(f(loads(line)))); w(b"\n")
