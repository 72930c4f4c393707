"""WebSockets that say a word now and then, and the server that repeats it (RFC 6455, small text
frames only).
"""

import asyncio
import base64
import hashlib
import os
import struct
import threading

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(text, mask=False):
    """One text frame; clients mask theirs."""
    payload = text.encode()
    if len(payload) > 125:
        raise ValueError("longer than a small frame")
    if not mask:
        return struct.pack("!BB", 0x81, len(payload)) + payload
    key = os.urandom(4)
    return (struct.pack("!BB", 0x81, 0x80 | len(payload)) + key
            + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)))


async def read_frame(reader):
    """The text of the next frame; raises at the end of the stream or of the conversation."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    key = await reader.readexactly(4) if second & 0x80 else b"\0\0\0\0"
    payload = await reader.readexactly(length)
    if first & 0x0F != 1:
        raise ConnectionError("closed by the other side")
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)).decode()


class EchoServer:
    """Repeats what it is told, on 127.0.0.1; in a thread of its own until end()."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._writers = set()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0))
        # Both names of an upstream's port.
        self.port = self.any_port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            key = next(line.split(":", 1)[1].strip() for line in head.split("\r\n")
                       if line.lower().startswith("sec-websocket-key:"))
            accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            writer.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").encode())
            while True:
                writer.write(frame(await read_frame(reader)))
        except (OSError, asyncio.IncompleteReadError, StopIteration):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def cut_all(self):
        """As a proxy that ends cuts them."""
        self._loop.call_soon_threadsafe(
            lambda: [writer.transport.abort() for writer in self._writers])

    def end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class Sockets:
    """So many of them through a proxy, each asking every half second; a thread of its own."""

    def __init__(self, port, host, path, count):
        self.cut = 0
        self.answers = 0
        self.open = 0
        self._stop = False
        self._target = (port, host, path, count)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    async def _run(self):
        port, host, path, count = self._target
        await asyncio.gather(*(self._one(port, host, path) for _ in range(count)))

    async def _one(self, port, host, path):
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            key = base64.b64encode(os.urandom(16)).decode()
            writer.write((f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise ConnectionError(head[:60].decode(errors="replace"))
            self.open += 1
            number = 0
            while not self._stop:
                number += 1
                writer.write(frame(f"word {number}", mask=True))
                if await asyncio.wait_for(read_frame(reader), 10) != f"word {number}":
                    raise ConnectionError("another word")
                self.answers += 1
                await asyncio.sleep(0.5)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            self.cut += 1
        finally:
            if writer:
                writer.close()

    def end(self):
        """How many were cut."""
        self._stop = True
        self._thread.join(15)
        return self.cut
