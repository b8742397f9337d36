# SPDX-License-Identifier: Apache-2.0
"""Hears what Awa's workers export, which is OTLP over gRPC and nothing else, and keeps one number of
it: the overrun counter of the maintenance loop, per service.

As much of HTTP/2 and protobuf as that takes: requests are not looked at, every message is taken for
metrics, every answer is the same.
"""

import socket
import struct
import threading

OVERRUN = b"awa.maintenance.branch.overrun"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8


def literal(name, value):
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


ANSWER_HEAD = b"\x88" + literal(b"content-type", b"application/grpc")  # :status 200
ANSWER_TAIL = literal(b"grpc-status", b"0")


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    """(number, value) of a protobuf message; fixed-width values as signed integers."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            width = 8 if kind == 1 else 4
            value, at = int.from_bytes(data[at:at + width], "little", signed=True), at + width
        yield key >> 3, value


def every(data, *path):
    """All values at a path of field numbers."""
    for number, value in fields(data):
        if number == path[0]:
            if len(path) == 1:
                yield value
            else:
                yield from every(value, *path[1:])


def overruns(request):
    """(service, overruns so far) of each resource of a request."""
    for resource in every(request, 1):
        names = [b"".join(every(pair, 2, 1)) for pair in every(resource, 1, 1) if b"service.name" in every(pair, 1)]
        metrics = [metric for metric in every(resource, 2, 2) if OVERRUN in every(metric, 1)]
        yield b"".join(names).decode(), sum(value for metric in metrics for value in every(metric, 7, 1, 6))


class Telemetry:
    def __init__(self):
        self._counted = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def overruns(self, service):
        """None of a service that has not been heard."""
        return self._counted.get(service)

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as incoming:
            incoming.read(24)  # the client's preface
            connection.sendall(frame(SETTINGS, 0, 0))
            bodies = {}
            try:
                while head := incoming.read(9):
                    length, kind, flags, stream = struct.unpack(">I", b"\0" + head[:3])[0], head[3], head[4], head[5:]
                    stream = struct.unpack(">I", stream)[0]
                    self._take(connection, bodies, (kind, flags, stream), incoming.read(length))
            except OSError:
                return  # its process was killed

    def _take(self, connection, bodies, head, payload):
        kind, flags, stream = head
        if kind in (SETTINGS, PING) and not flags & ACK:
            connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        if kind != DATA:
            return
        if payload:
            credit = struct.pack(">I", len(payload))
            connection.sendall(frame(WINDOW_UPDATE, 0, 0, credit) + frame(WINDOW_UPDATE, 0, stream, credit))
        body = payload[1:len(payload) - payload[0]] if flags & PADDED else payload
        bodies[stream] = bodies.get(stream, b"") + body
        if flags & END_STREAM:
            self._counted.update(overruns(bodies.pop(stream)[5:]))
            connection.sendall(frame(HEADERS, END_HEADERS, stream, ANSWER_HEAD) + frame(DATA, 0, stream, bytes(5))
                               + frame(HEADERS, END_HEADERS | END_STREAM, stream, ANSWER_TAIL))
