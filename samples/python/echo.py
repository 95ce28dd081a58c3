"""An echo server and its clients, on one thread: python3 samples/python/echo.py build/linux-release/bin/libnps.so"""

import os
import sys

import nps

CLIENTS, SIZE = 8, 1_000_000


class Connection:
    """A pipe, and what is still to be written to it."""

    def __init__(self, pipe, unsent=b""):
        self.pipe, self.unsent, self.connected = pipe, unsent, False
        self.received = bytearray()

    def send(self):
        """Events are edges: goes on until the pipe takes no more."""
        while self.unsent:
            taken = self.pipe.write(self.unsent)
            if taken == 0:
                return
            self.unsent = self.unsent[taken:]

    def receive(self):
        """Likewise: all that is there. False: the peer closed."""
        while (data := self.pipe.read()) is not None:
            if not data:
                return False
            self.received += data
        return True


def serve(connection):
    """An instance's part in an event: connects, and sends back what came. False: its client has gone."""
    connection.connected = connection.connected or connection.pipe.connect()
    if not connection.connected:
        return True
    while True:
        connection.send()
        if connection.unsent:
            return True  # no more is read until the client takes what it is owed
        open_still = connection.receive()
        connection.unsent, connection.received = bytes(connection.received), bytearray()
        if not connection.unsent:
            return open_still


def main(path):
    library = nps.Library(path)
    poll = nps.Poll(library)
    name = f"echo-in-python-{os.getpid()}"
    servers = {token: Connection(nps.Pipe.serve(poll, token, name)) for token in range(CLIENTS)}
    for server in servers.values():
        server.pipe.connect()  # begins to wait for a client
    messages = {CLIENTS + i: os.urandom(SIZE) for i in range(CLIENTS)}
    clients = {token: Connection(nps.Pipe.open(poll, token, name), data) for token, data in messages.items()}

    verified = 0
    while verified < CLIENTS:
        ready = poll.wait(timeout_ms=10_000)
        if not ready:
            raise TimeoutError("nothing happened in 10 s")
        for token, _ in ready:
            if token in servers:
                if not serve(servers[token]):
                    servers.pop(token).pipe.close()
            elif token in clients:
                client = clients[token]
                client.send()
                client.receive()
                if len(client.received) == SIZE:
                    if client.received != messages[token]:
                        raise ValueError("not what was sent")
                    clients.pop(token).pipe.close()
                    verified += 1

    for server in servers.values():
        server.pipe.close()
    poll.close()
    print(f"{verified} clients got their {SIZE:,} bytes back.")


if __name__ == "__main__":
    main(sys.argv[1])
