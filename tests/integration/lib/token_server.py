#!/usr/bin/env python3
"""A token server for Debian's docker-registry (distribution, "Token Authentication Specification").

    token_server.py --cert FILE --key FILE --service S --issuer I [--life SECONDS] [--tls]
                    [--port-file FILE] [--log FILE]

Users, password "sesame": tester may do everything, reader may pull. The identity token
"id-of-tester" is tester's (POST, OAuth2). All others are refused. Tokens are signed by `openssl`
with the key, whose certificate the registry has as its rootcertbundle. With --tls it serves https
with the same pair.

Each answer is a line of the log: METHOD USER STATUS GRANTED-SCOPES.

The registry goes on taking a token for 60 seconds after it has ended, so the time that is written
into one is 60 seconds less than what the client is told: a token is good for SECONDS exactly.
"""
import argparse
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.parse
import uuid

LEEWAY = 60
PASSWORD = "sesame"
ALLOWED = {"tester": {"pull", "push", "delete", "*"}, "reader": {"pull"}}
IDENTITY = {"id-of-tester": "tester"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate_der(path):
    """The certificate's base64, as x5c wants it (RFC 7515, section 4.1.6)."""
    with open(path, encoding="ascii") as file:
        lines = file.read().split("-----BEGIN CERTIFICATE-----")[1]
    return "".join(lines.split("-----END CERTIFICATE-----")[0].split())


def grant(user, scopes):
    """Of what is asked for, what the user may do."""
    access = []
    for scope in scopes:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        granted = sorted(set(actions.split(",")) & ALLOWED[user])
        if granted:
            access.append({"type": kind, "name": name, "actions": granted})
    return access


def sign(options, claims):
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate_der(options.cert)]}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", options.key],
                               input=text.encode(), capture_output=True, check=True).stdout
    return text + "." + base64url(signature)


def make_token(options, user, access):
    now = int(time.time())
    end = now + options.life - LEEWAY
    return sign(options, {"iss": options.issuer, "sub": user, "aud": options.service, "exp": end,
                          "nbf": end - 1, "iat": now, "jti": uuid.uuid4().hex, "access": access})


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, user="-", access=()):
        data = json.dumps(body).encode()
        scopes = " ".join(f"{a['type']}:{a['name']}:{','.join(a['actions'])}" for a in access)
        with self.server.lock, open(self.server.options.log, "a", encoding="utf-8") as log:
            log.write(f"{self.command} {user} {status} {scopes}\n")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def basic_user(self):
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        return user if password == PASSWORD and user in ALLOWED else None

    def give(self, user, query, member):
        options = self.server.options
        scopes = [scope for text in query.get("scope", []) for scope in text.split(" ")]
        if user is None or query.get("service") != [options.service]:
            return self.answer(401, {"details": "incorrect username or password"}, user or "-")
        access = grant(user, scopes)
        return self.answer(200, {member: make_token(options, user, access),
                                 "expires_in": options.life}, user, access)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.give(self.basic_user(), urllib.parse.parse_qs(url.query), "token")

    def do_POST(self):
        form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        query = urllib.parse.parse_qs(form)
        user = IDENTITY.get(query.get("refresh_token", [""])[0])
        self.give(user if query.get("grant_type") == ["refresh_token"] else None, query,
                  "access_token")

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    for name in ("cert", "key", "service", "issuer", "port-file", "log"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--life", type=int, default=300)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.options = options
    server.lock = threading.Lock()
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(options.port_file + ".new", "w", encoding="ascii") as file:
        file.write(str(server.server_address[1]))
    os.rename(options.port_file + ".new", options.port_file)
    server.serve_forever()


main()
