"""A proxy for whoever knows its name and password; all hosts behind it are one port of this machine.

    proxy.py LOG PORT NAME:PASSWORD      prints the port that it listens on

Each request's first line goes to LOG: CONNECT, and absolute URLs, whose connection is passed on as
it is, since docker-registry understands them. Anybody else is 407.
"""
import base64
import socket
import sys
import threading


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head and len(head) < 65536:
        got = client.recv(4096)
        if not got:
            return None
        head += got
    return head


def pass_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, log, port, wanted):
    head = read_head(client)
    if head is None:
        return
    lines = head.split(b"\r\n")
    known = any(line.lower().startswith(b"proxy-authorization:") and line.endswith(wanted) for line in lines)
    with open(log, "ab") as file:
        file.write((b"" if known else b"407 ") + lines[0] + b"\n")
    if not known:
        client.sendall(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=p\r\nContent-Length: 0\r\n\r\n")
        return
    with socket.create_connection(("127.0.0.1", port)) as server:
        if head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
        else:
            server.sendall(head)
        back = threading.Thread(target=pass_on, args=(server, client), daemon=True)
        back.start()
        pass_on(client, server)
        back.join()


def run(client, *rest):
    with client:
        try:
            serve(client, *rest)
        except OSError:
            pass


def main():
    log, port, credential = sys.argv[1:]
    wanted = base64.b64encode(credential.encode())
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=run, args=(client, log, int(port), wanted), daemon=True).start()


main()
