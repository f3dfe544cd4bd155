"""A proxy between ranks that were started with tests/ranks/redirect.c: it delays, cuts into pieces, cuts off, swallows."""
import random
import socket
import struct
import threading
import time


class Proxy:
    """`delay_s`: each piece waits up to that; `piece`: bytes of one, at most. One seed, one sequence of both a connection."""

    def __init__(self, delay_s=0.0, piece=1 << 16):
        self.delay_s, self.piece = delay_s, piece
        self.hole = False
        self.bytes = 0
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        where = near.recv(6, socket.MSG_WAITALL)
        if len(where) < 6:
            return near.close()
        try:
            far = socket.create_connection((socket.inet_ntoa(where[:4]), int.from_bytes(where[4:], "big")))
        except OSError:
            return near.close()
        near.sendall(b"1")
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pairs.append((near, far))
        for number, (source, target) in enumerate(((near, far), (far, near))):
            chance = random.Random(2 * len(self.pairs) + number)
            threading.Thread(target=self._carry, args=(source, target, chance), daemon=True).start()

    def _carry(self, source, target, chance):
        try:
            while data := source.recv(chance.randint(1, self.piece)):
                if self.delay_s:
                    time.sleep(chance.uniform(0, self.delay_s))
                while self.hole:
                    time.sleep(0.05)
                target.sendall(data)
                self.bytes += len(data)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    def cut(self, which=0, reset=False):
        """One connection of those that are open ends, in order or with a reset."""
        for end in [pair for pair in self.pairs if pair[0].fileno() >= 0 and pair[1].fileno() >= 0][which]:
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its other side was faster
            if reset:
                end.close()

    def close(self):
        self.hole = False
        self.listener.close()
        for pair in self.pairs:
            for end in pair:
                end.close()
