// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A reader of the same messages that is written in Python, as a process of its own.
enum PythonReader: String, CaseIterable {
    /// The client of NATS for Python, over WebSocket.
    case client = "nats-py"
    /// A socket, and what it takes to find where the next operation begins.
    case raw = "a raw reader"

    /// Reads so many messages, of which `flood` has the first sent when this is subscribed.
    func run(port: Int, count: Int, _ flood: () throws -> Void) throws -> ReaderFigures {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, "\(port)", "\(count)", NATSFloor.subject]
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        defer { process.waitUntilExit() }
        var lines = ChildLines(output)
        let word = try lines.next()
        guard word == "ready" else {
            throw BenchFailure(
                message: word.isEmpty
                    ? "There is no python3 on this machine that works." : word)
        }
        try flood()
        let figures = try lines.next().split(separator: " ").compactMap { Double($0) }
        guard figures.count == 2 else { throw BenchFailure(message: "\(rawValue) came to no end.") }
        return ReaderFigures(count: count, seconds: figures[0], processorSeconds: figures[1])
    }

    private var script: String {
        Self.beginning + (self == .client ? Self.clientScript : Self.rawScript)
    }

    private static let beginning = """
        import resource, sys, time

        port, count, subject = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

        def clocks():
            usage = resource.getrusage(resource.RUSAGE_SELF)
            return time.monotonic(), usage.ru_utime + usage.ru_stime

        def say(began):
            print(*(now - then for now, then in zip(clocks(), began)), flush=True)

        """

    private static let clientScript = """
        import asyncio
        try:
            import aiohttp, nats
        except ImportError:
            sys.exit(print("nats-py is not installed for python3: pip install 'nats-py[aiohttp]'"))

        async def main():
            received, began = 0, None
            done = asyncio.get_running_loop().create_future()

            async def take(message):
                nonlocal received, began
                began = began or clocks()
                received += 1
                if received == count:
                    done.set_result(None)

            client = await nats.connect(f"ws://127.0.0.1:{port}")
            await client.subscribe(
                subject, cb=take, pending_msgs_limit=count + 1, pending_bytes_limit=1 << 30)
            await client.flush()
            print("ready", flush=True)
            await done
            say(began)
            await client.close()

        asyncio.run(main())
        """

    private static let rawScript = """
        import socket

        def frame(text):
            return bytes([0x82, 0x80 | len(text), 0, 0, 0, 0]) + text

        link = socket.create_connection(("127.0.0.1", port))
        link.sendall(
            b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n")
        def read():
            return link.recv(262144) or sys.exit("The node is gone.")

        came = bytearray()
        while b"\\r\\n\\r\\n" not in came:
            came += read()
        del came[: came.index(b"\\r\\n\\r\\n") + 4]
        link.sendall(frame(b'CONNECT {"verbose":false}\\r\\n'))
        link.sendall(frame(b"SUB " + subject.encode() + b" 1\\r\\nPING\\r\\n"))
        stream, received, left, began = bytearray(), 0, 0, None
        while received < count:
            # What of frames is here: a header of 2, 4 or 10 bytes, and never a mask.
            while came:
                if not left:
                    size = came[1] if len(came) > 1 else 0
                    head = 2 + (2 if size == 126 else 8 if size == 127 else 0)
                    if len(came) < head:
                        break
                    left = size if size < 126 else int.from_bytes(came[2:head], "big")
                    del came[:head]
                piece = came[:left]
                left -= len(piece)
                stream += piece
                del came[: len(piece)]
            # The operations that are whole.
            place = 0
            while (end := stream.find(b"\\r\\n", place)) >= 0:
                line = stream[place:end]
                after = end + 2
                if line.startswith(b"MSG"):
                    after += int(line[line.rindex(b" ") + 1 :]) + 2
                    if after > len(stream):
                        break
                    began = began or clocks()
                    received += 1
                elif line == b"PONG":
                    print("ready", flush=True)
                elif line == b"PING":
                    link.sendall(frame(b"PONG\\r\\n"))
                place = after
            del stream[:place]
            if received < count:
                came += read()
        say(began)
        """
}

/// How fast somebody read.
struct ReaderFigures {
    var count: Int
    /// From the first message to the last.
    var seconds: Double
    var processorSeconds: Double

    var rate: Double { Double(count) / seconds }
    /// Messages in a second of the process's time.
    var processorRate: Double { Double(count) / processorSeconds }
}

/// What a process says, line by line.
private struct ChildLines {
    private let file: FileHandle

    init(_ pipe: Pipe) {
        file = pipe.fileHandleForReading
    }

    /// Empty at its end.
    mutating func next() throws -> String {
        var line = Data()
        while let byte = try file.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) { line += byte }
        return String(decoding: line, as: UTF8.self)
    }
}
