# SPDX-License-Identifier: MIT
"""A plain client of the control socket, for scripts that look at each line; it checks nothing by itself."""
import json
import socket
import time


class Control:
    """A plain client; ask() answers the reply to one request, events that come before it are kept."""

    def __init__(self, path, seconds=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.events = []
        self.last = 0

    def line(self):
        text = self.file.readline()
        return json.loads(text) if text else None

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def ask(self, method, params=None):
        self.last += 1
        request = {"jsonrpc": "2.0", "id": self.last, "method": method}
        if params is not None:
            request["params"] = params
        self.send(json.dumps(request) + "\n")
        while True:
            reply = self.line()
            if reply is None or "id" in reply:
                return reply
            self.events.append(reply)

    def event(self, method, wanted=lambda data: True, seconds=10):
        """The next event of that name and kind, or one that came already; the others are kept. None when there is none in
        time."""
        fits = lambda e: e.get("method") == method and wanted(e["params"]["data"])
        for i, event in enumerate(self.events):
            if fits(event):
                return self.events.pop(i)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                event = self.line()
                if event is None or fits(event):
                    return event
                self.events.append(event)
        except socket.timeout:
            pass
        return None

    def close(self):
        self.file.close()
        self.socket.close()


def ended(reply):
    return reply is not None and "result" in reply


def code(reply):
    return (reply or {}).get("error", {}).get("code")
