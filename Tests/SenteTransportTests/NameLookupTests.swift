// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

@Suite("NameLookup", .timeLimit(.minutes(5)))
struct NameLookupTests {
    private static let address = Dialer.Address.v4(0x7F00_0001, port: 80)

    @Test("the system's resolver knows localhost")
    func localhost() async {
        let answers = Collector<NameLookup.Answer>()
        _ = NameLookup.shared.begin("localhost", port: 80, .v4) { answers.append($0) }
        let answer = await answers.wait { !$0.isEmpty }[0]
        let addresses = (try? answer.get()) ?? []
        #expect(addresses.contains(Self.address))
    }

    @Test("callers who ask for one name share one lookup, and one who takes it back hears nothing")
    func sharing() async {
        let calls = Collector<String>()
        let release = DispatchSemaphore(value: 0)
        let lookup = NameLookup(threads: 2) { host, _, _ in
            calls.append(host)
            release.wait()
            return .success([Self.address])
        }
        let answers = Collector<Int>()
        var tickets: [NameLookup.Ticket] = []
        for caller in 0..<5 {
            tickets.append(lookup.begin("name", port: 80, .v6) { _ in answers.append(caller) })
        }
        lookup.abandon(tickets[2])
        release.signal()
        #expect(await answers.wait { $0.count == 4 } == [0, 1, 3, 4])
        #expect(calls.elements == ["name"])
    }

    @Test("a resolver that hangs does not hold up other names, and those beyond the threads come afterwards")
    func hanging() async {
        let release = DispatchSemaphore(value: 0)
        let lookup = NameLookup(threads: 2) { host, _, _ in
            if host == "hangs" { release.wait() }
            return .success([Self.address])
        }
        let answers = Collector<String>()
        _ = lookup.begin("hangs", port: 80, .v4) { _ in answers.append("hangs") }
        for name in ["a", "b", "c"] { _ = lookup.begin(name, port: 80, .v4) { _ in answers.append(name) } }
        #expect(await answers.wait { $0.count == 3 } == ["a", "b", "c"])
        release.signal()
        #expect(await answers.wait { $0.count == 4 }.last == "hangs")
    }

    @Test("a link whose lookup hangs meets its deadline, and a late answer changes nothing")
    func deadline() async throws {
        let release = DispatchSemaphore(value: 0)
        let lookup = NameLookup(threads: 1) { _, _, _ in
            release.wait()
            return .success([Self.address])
        }
        try await withLoop(.standard) { loop in
            let recorder = LinkRecorder.open(
                loop.request(80, host: "hangs", opening: .milliseconds(50)), on: loop,
                transport: SocketTransport(lookup: lookup))
            #expect(await recorder.untilEnd().last?.failure?.kind == .timedOut)
            release.signal()
            await loop.run {}
            #expect(recorder.reports.elements.count == 1)
        }
    }

    @Test("a name is looked up anew for each link, both families")
    func anew() async throws {
        try await withLoop(.standard) { loop in
            let (_, listener) = try EchoServer.listen(on: loop)
            let calls = Collector<Dialer.Family>()
            let lookup = NameLookup(threads: 2) { [port = listener.port] _, _, family in
                calls.append(family)
                return .success(family == .v4 ? [.v4(0x7F00_0001, port: port)] : [])
            }
            for count in 1...2 {
                let recorder = LinkRecorder.open(
                    loop.request(listener.port, host: "name"), on: loop,
                    transport: SocketTransport(lookup: lookup))
                await recorder.untilOpen()
                _ = await calls.wait { $0.count == 2 * count }
                #expect(calls.elements.count { $0 == .v6 } == count)
                recorder.onLoop { $0.abandon() }
            }
        }
    }

    @Test("the second of two addresses is taken when the first refuses, or answers nothing")
    func secondAddress() async throws {
        try await withLoop(.standard) { loop in
            let (_, listener) = try EchoServer.listen(on: loop)
            let port = listener.port
            // ::1 is not listened on; 192.0.2.1 (RFC 5737) is no host at all.
            for first in [Dialer.Address.v6(0, 1, port: port, scope: 0), .v4(0xC000_0201, port: port)] {
                let lookup = NameLookup(threads: 1) { _, _, family in
                    .success(family == .v6 ? [first] : [.v4(0x7F00_0001, port: port)])
                }
                let recorder = LinkRecorder.open(
                    loop.request(port, host: "two"), on: loop, transport: SocketTransport(lookup: lookup))
                await recorder.untilOpen()
                #expect(recorder.reports.elements.contains { $0.isOpened })
                recorder.onLoop { $0.abandon() }
            }
        }
    }
}
