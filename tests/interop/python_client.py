"""python-socketio as it is in Debian, doing what its users do: python_client.py URL WAY SCENARIO.

Says "ready" when somebody outside is to do something, and ends with 0 if all was as it should be.
"""

import sys
import threading

import socketio

PATIENCE = 30  # seconds, for what must happen


class Person:
    """A client that keeps what it hears."""

    def __init__(self, url, transports, namespace="/", waits=True):
        self.client = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.2)
        self.namespace = namespace
        self.heard = {}
        self.arrived = threading.Condition()
        for event in ("connect", "disconnect", "connect_error"):
            self.listen(event)
        self.client.connect(url, transports=transports, namespaces=[namespace], wait=waits, wait_timeout=PATIENCE)

    def listen(self, event, answer=None):
        def take(*args):
            with self.arrived:
                self.heard.setdefault(event, []).append(args)
                self.arrived.notify_all()
            return answer

        self.client.on(event, take, namespace=self.namespace)

    def expect(self, event, count=1):
        """The arguments of the event that makes it so many."""
        with self.arrived:
            done = self.arrived.wait_for(lambda: len(self.heard.get(event, [])) >= count, PATIENCE)
            assert done, f"{event} was not heard {count} times: {self.heard}"
            return self.heard[event][count - 1]

    def ask(self, event, *args):
        """The answer: of several arguments a list."""
        answer = self.client.call(event, args, namespace=self.namespace, timeout=PATIENCE)
        return list(answer) if isinstance(answer, tuple) else answer

    def say(self, event, *args):
        self.client.emit(event, args, namespace=self.namespace)


def same(actual, expected):
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def talk(url, transports):
    """Connects, perhaps moves to a WebSocket, emits, is answered and answers; text and bytes."""
    ann = Person(url, transports)
    same(ann.client.transport(), transports[-1])
    same(ann.ask("echo", "grüße", 1, [None, True, {"a": 0.5}]), ["grüße", 1, [None, True, {"a": 0.5}]])
    same(ann.ask("echo", b"\x00\xff"), b"\x00\xff")
    same(ann.ask("echo", {"b": b"1", "c": [b"2"]}, b""), [{"b": b"1", "c": [b"2"]}, b""])
    ann.listen("takebin")
    ann.say("getbin", b"\x01\x02")
    same(ann.expect("takebin"), (b"\x01\x02",))
    ann.listen("ack", (5, {"test": True}))
    ann.listen("got it")
    ann.say("ack")
    ann.expect("got it")
    large = "x" * 500_000
    same(ann.ask("echo", large), large)
    ann.client.disconnect()
    ann.expect("disconnect")


def rooms(url, transports):
    """Rooms, namespaces and goodbyes."""
    ann, ben = Person(url, transports), Person(url, transports)
    assert ann.ask("getId") != ben.ask("getId")
    ben.listen("news")
    ben.ask("join", "attic")
    ann.say("to", "attic", "news", "one", b"two")
    same(ben.expect("news"), ("one", b"two"))
    ben.ask("leave", "attic")
    ann.say("to", "attic", "news", "not for him")
    ann.ask("echo")  # all before it was said
    ben.ask("echo")
    same(len(ben.heard["news"]), 1)
    cid = Person(url, transports, "/foo")
    assert cid.ask("getId") == cid.client.get_sid("/foo")
    stranger = Person(url, transports, "/no", waits=False)
    same(stranger.expect("connect_error")[0]["message"], "Auth failed (custom namespace)")
    stranger.client.disconnect()
    ben.client.disconnect()
    for _ in range(1000):
        if ann.ask("count") == 1:
            break
    same(ann.ask("count"), 1)
    for person in (ann, cid):
        person.client.disconnect()


def chat(url, transports):
    """The server is killed and comes back; so do the client, and what it says."""
    ann = Person(url, transports)
    ann.listen("chat message")
    ann.ask("chat message", "before", "id-1")
    same(ann.expect("chat message")[0], "before")
    print("ready", flush=True)
    ann.expect("connect", 2)
    ann.ask("chat message", "after", "id-2")
    while ann.heard["chat message"][-1][0] != "after":
        ann.expect("chat message", len(ann.heard["chat message"]) + 1)
    ann.client.disconnect()


if __name__ == "__main__":
    url, way, scenario = sys.argv[1:]
    {"talk": talk, "rooms": rooms, "chat": chat}[scenario](url, way.split(","))
