// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTestSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What one proxied connection suffers.
struct LineFaults: Sendable {
    enum Ending: Sendable, CaseIterable {
        /// Both sides see the end of TCP.
        case finish
        /// Both sides see a reset.
        case reset
        /// Nothing passes any more, and nobody is told: a half-open connection.
        case silence
    }

    /// Every chunk comes this much later, in order.
    var latency: Duration = .zero
    /// The largest piece that is written at once.
    var piece = Int.max
    /// After so many bytes, both ways together, nothing passes for a while.
    var stall: (after: Int, time: Duration)?
    /// After so many bytes, both ways together, the connection ends; the byte may stand anywhere in a frame.
    var end: (after: Int, Ending)?
}

/// A TCP proxy between a client and a server of this process that does to each connection what its plan says.
///
/// Its thread waits in `poll(2)`; nothing sleeps.
final class FaultProxy: Sendable {
    typealias Plan = @Sendable (_ connection: Int) -> LineFaults

    let port: Int
    private let control: Int32
    private let counts = Locked((connections: 0, ends: [LineFaults.Ending: Int]()))

    /// How many connections came, and how many of them each fault ended.
    var connections: Int { counts.withLock { $0.connections } }
    var ends: [LineFaults.Ending: Int] { counts.withLock { $0.ends } }

    init(to upstream: Int, _ plan: @escaping Plan) throws {
        let listener = Self.socket()
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        var pipes: [Int32] = [0, 0]
        guard isListening, pipe(&pipes) == 0 else { throw LinkFailure(.unavailable, "No port is free.") }
        port = Int(UInt16(bigEndian: address.sin_port))
        control = pipes[1]
        let (reader, counts) = (pipes[0], counts)
        Thread.detachNewThread {
            var board = Switchboard(listener: listener, control: reader, upstream: upstream)
            board.run(plan) { ending in
                counts.withLock {
                    if let ending { $0.ends[ending, default: 0] += 1 } else { $0.connections += 1 }
                }
            }
        }
    }

    /// Ends every connection and the thread.
    func stop() {
        _ = closeDescriptor(control)
    }

    fileprivate static func socket() -> Int32 {
        #if canImport(Glibc)
        Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #elseif canImport(Musl)
        Musl.socket(AF_INET, SOCK_STREAM, 0)
        #else
        Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    fileprivate static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

/// The proxy's thread: its connections, and what is on its way through them.
private struct Switchboard {
    private struct Chunk {
        var due: ContinuousClock.Instant
        var bytes: ArraySlice<UInt8>
    }

    /// One way through a connection.
    private struct Direction {
        let source: Int32
        let sink: Int32
        var waiting: [Chunk] = []
        var hasEnded = false
        var hasFinished = false
    }

    private struct Line {
        let faults: LineFaults
        var directions: [Direction]
        var passed = 0
        var stalledUntil: ContinuousClock.Instant?
        var hasStalled = false
        var isSilent = false
        var isOver = false
    }

    private let listener: Int32
    private let control: Int32
    private let upstream: Int
    private static let clock = ContinuousClock()
    private var lines: [Line] = []

    init(listener: Int32, control: Int32, upstream: Int) {
        self.listener = listener
        self.control = control
        self.upstream = upstream
        makeNonBlocking(listener)
    }

    /// `report(nil)` tells of a connection, `report(ending)` of what ended one.
    mutating func run(_ plan: FaultProxy.Plan, _ report: (LineFaults.Ending?) -> Void) {
        var number = 0
        while true {
            var requests = [
                pollfd(fd: control, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            let now = Self.clock.now
            for line in lines { requests += Self.interests(line, now) }
            _ = poll(&requests, nfds_t(requests.count), timeout(now))
            if requests[0].revents != 0 { break }
            if requests[1].revents != 0 {
                while true {
                    let client = accept(listener, nil, nil)
                    guard client >= 0 else { break }
                    report(nil)
                    open(client, plan(number))
                    number += 1
                }
            }
            for index in lines.indices { Self.serve(&lines[index], report) }
            lines.removeAll { $0.isOver }
        }
        for line in lines { Self.close(line, reset: false) }
        _ = closeDescriptor(listener)
        _ = closeDescriptor(control)
    }

    private mutating func open(_ client: Int32, _ faults: LineFaults) {
        let server = FaultProxy.socket()
        var address = FaultProxy.loopback(upstream)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // On loopback connecting does not wait.
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, length) == 0 }
        }
        guard isConnected else {
            _ = closeDescriptor(server)
            _ = closeDescriptor(client)
            return
        }
        for descriptor in [client, server] {
            makeNonBlocking(descriptor)
            var on: Int32 = 1
            setsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        lines.append(
            Line(
                faults: faults,
                directions: [
                    Direction(source: client, sink: server), Direction(source: server, sink: client),
                ]))
    }

    /// Reads while little waits, writes what is due.
    private static func interests(_ line: Line, _ now: ContinuousClock.Instant) -> [pollfd] {
        line.directions.flatMap { direction in
            let reads = !direction.hasEnded && direction.waiting.count < 256
            let writes = isDue(direction, line, now)
            return [
                pollfd(fd: reads ? direction.source : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: writes ? direction.sink : -1, events: Int16(POLLOUT), revents: 0),
            ]
        }
    }

    private static func isDue(_ direction: Direction, _ line: Line, _ now: ContinuousClock.Instant) -> Bool {
        guard let first = direction.waiting.first, !line.isSilent, (line.stalledUntil ?? now) <= now else {
            return false
        }
        return first.due <= now
    }

    /// Milliseconds until something falls due; -1 for nothing.
    private func timeout(_ now: ContinuousClock.Instant) -> Int32 {
        let dues = lines.filter { !$0.isSilent }.flatMap { line in
            line.directions.compactMap { direction in
                direction.waiting.first.map { max($0.due, line.stalledUntil ?? $0.due) }
            }
        }
        guard let next = dues.filter({ $0 > now }).min() else { return -1 }
        return Int32(clamping: Int((next - now) / .milliseconds(1)) + 1)
    }

    private static func serve(_ line: inout Line, _ report: (LineFaults.Ending?) -> Void) {
        for index in line.directions.indices where !line.isOver {
            read(&line, index)
            write(&line, index, report)
        }
        let isDone = line.directions.allSatisfy { $0.hasFinished }
        if isDone, !line.isOver {
            Self.close(line, reset: false)
            line.isOver = true
        }
    }

    private static func read(_ line: inout Line, _ index: Int) {
        guard !line.directions[index].hasEnded else { return }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while line.directions[index].waiting.count < 256 {
            let count = recv(line.directions[index].source, &buffer, buffer.count, 0)
            if count > 0 {
                // What comes after the silence is lost; nobody may be told that it is not read.
                if line.isSilent { continue }
                line.directions[index].waiting.append(
                    Chunk(due: clock.now + line.faults.latency, bytes: buffer[..<count]))
            } else {
                if count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
                    line.directions[index].hasEnded = true
                    // Whoever left a silent line is gone; the other side hears nothing of it.
                    if line.isSilent { line.directions[index].hasFinished = true }
                }
                return
            }
        }
    }

    private static func write(_ line: inout Line, _ index: Int, _ report: (LineFaults.Ending?) -> Void) {
        while Self.isDue(line.directions[index], line, clock.now),
            var chunk = line.directions[index].waiting.first
        {
            var room = line.faults.piece
            if let stall = line.faults.stall, !line.hasStalled { room = min(room, stall.after - line.passed) }
            if let end = line.faults.end { room = min(room, end.after - line.passed) }
            let count = max(0, min(room, chunk.bytes.count))
            let written = count == 0 ? 0 : send(line.directions[index].sink, chunk.bytes.prefix(count))
            guard written >= 0 else { return lose(&line, index) }
            if written == 0, count > 0 { return }
            line.passed += written
            chunk.bytes = chunk.bytes.dropFirst(written)
            if chunk.bytes.isEmpty {
                line.directions[index].waiting.removeFirst()
            } else {
                line.directions[index].waiting[0] = chunk
            }
            if let stall = line.faults.stall, !line.hasStalled, line.passed >= stall.after {
                line.hasStalled = true
                line.stalledUntil = clock.now + stall.time
            }
            if let (after, ending) = line.faults.end, line.passed >= after {
                report(ending)
                return end(&line, ending)
            }
        }
        let direction = line.directions[index]
        if direction.hasEnded, direction.waiting.isEmpty, !direction.hasFinished, !line.isSilent {
            shutdown(direction.sink, Int32(SHUT_WR))
            line.directions[index].hasFinished = true
        }
    }

    /// The sink is gone: what was on its way to it is lost, and its source is told by the end of the other direction.
    private static func lose(_ line: inout Line, _ index: Int) {
        if errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR { return }
        line.directions[index].waiting = []
        line.directions[index].hasEnded = true
        line.directions[index].hasFinished = true
    }

    private static func end(_ line: inout Line, _ ending: LineFaults.Ending) {
        switch ending {
        case .silence:
            line.isSilent = true
            for index in line.directions.indices { line.directions[index].waiting = [] }
        case .finish, .reset:
            Self.close(line, reset: ending == .reset)
            line.isOver = true
        }
    }

    private static func close(_ line: Line, reset: Bool) {
        for direction in line.directions {
            if reset {
                var value = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    direction.source, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
            }
            _ = closeDescriptor(direction.source)
        }
    }

    private static func send(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Int {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        return bytes.withUnsafeBytes { sendBytes(descriptor, $0.baseAddress, $0.count, flags) }
    }
}

private func sendBytes(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, base, count, flags)
}

private func closeDescriptor(_ descriptor: Int32) -> Int32 {
    close(descriptor)
}

private func makeNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}
