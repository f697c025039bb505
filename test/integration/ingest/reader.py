"""Knows nothing of Millrace: a NATS client of a few lines and a plain msgpack library. Prints each event of a stream as a line of JSON."""
import json
import socket
import sys

import msgpack


class Nats:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")
        self.file.readline()  # INFO
        self.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB _INBOX.reader 1\r\n')

    def send(self, data):
        self.socket.sendall(data)

    def request(self, subject, payload):
        data = payload.encode()
        self.send(b"PUB %s _INBOX.reader %d\r\n%s\r\n" % (subject.encode(), len(data), data))
        return self.message()

    def message(self):
        while True:
            line = self.file.readline().split()
            if line[0] == b"PING":
                self.send(b"PONG\r\n")
            elif line[0] in (b"MSG", b"HMSG"):
                total = int(line[-1])
                head = int(line[-2]) if line[0] == b"HMSG" else 0
                data = self.file.read(total)
                self.file.read(2)
                return data[:head].decode(), data[head:]
            elif line[0] == b"-ERR":
                raise RuntimeError(line)


def headers_of(block):
    lines = block.split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def main(port, stream):
    nats = Nats(port)
    _, info = nats.request("$JS.API.STREAM.INFO." + stream, "")
    last = json.loads(info)["state"]["last_seq"]
    import base64

    for sequence in range(1, last + 1):
        _, answer = nats.request("$JS.API.STREAM.MSG.GET." + stream, json.dumps({"seq": sequence}))
        message = json.loads(answer)["message"]
        headers = headers_of(base64.b64decode(message.get("hdrs", "")).decode())
        assert headers["Content-Type"].startswith("application/msgpack"), headers
        value = msgpack.unpackb(base64.b64decode(message["data"]), strict_map_key=False)
        events = value if "Millrace-Count" in headers else [value]
        if "Millrace-Count" in headers:
            assert len(events) == int(headers["Millrace-Count"]), headers
        if headers["Content-Type"].endswith("form=envelope"):
            events = [event for _id, _headers, event in events]
        for event in events:
            print(json.dumps({"subject": message["subject"], "event": event}, separators=(",", ":"), ensure_ascii=False))


main(int(sys.argv[1]), sys.argv[2])
