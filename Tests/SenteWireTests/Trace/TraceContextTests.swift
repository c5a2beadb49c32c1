// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Contexts of traces")
struct TraceContextTests {
    static let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

    @Test("a parent is read and written as the standard has it")
    func parent() throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.ids)-01"))
        #expect(context.traceID == .init(high: 0x0AF7_6519_16CD_43DD, low: 0x8448_EB21_1C80_319C))
        #expect(context.spanID == 0xB7AD_6B71_6920_3331)
        #expect(context.isSampled && context.state == nil)
        #expect(context.traceparent == "00-\(Self.ids)-01")
        #expect(TraceContext(traceparent: "00-\(Self.ids)-00")?.isSampled == false)
    }

    @Test("of unknown flags none is handed on")
    func flags() {
        #expect(TraceContext(traceparent: "00-\(Self.ids)-ff")?.traceparent == "00-\(Self.ids)-01")
        #expect(TraceContext(traceparent: "00-\(Self.ids)-fe")?.traceparent == "00-\(Self.ids)-00")
    }

    @Test(
        "a higher version is read as far as the first one goes",
        arguments: ["cc-\(ids)-01", "01-\(ids)-01-", "cc-\(ids)-01-what-the-future-will-be-like"])
    func higherVersions(text: String) {
        #expect(TraceContext(traceparent: text)?.traceparent == "00-\(Self.ids)-01")
    }

    @Test(
        "what the standard forbids is refused",
        arguments: [
            "", "00", "00-\(ids)", "00-\(ids)-", "00-\(ids)-1", "00-\(ids)-01-", "00-\(ids)-01 ",
            " 00-\(ids)-01",
            "00-\(ids)-011", "00-\(ids)-01-x", "ff-\(ids)-01", "cc-\(ids)-01.x", "cc-\(ids)-0", "0-\(ids)-01",
            "00-\(ids)-0G", "00-\(ids.uppercased())-01", "00_\(ids)-01", "FF-\(ids)-01", ".0-\(ids)-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319ä-7ad6b7169203331-01", "00-\(ids)-0\u{0}", "００-\(ids)-01",
        ])
    func refused(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test(
        "random changes of a parent are read only when they are written back the same, or of a higher version"
    )
    func mutations() {
        var generator = SplitMix(state: 11)
        let alphabet = Array("0123456789abcdefABCDEFg-. ".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("00-\(Self.ids)-01".utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: index)
                default: bytes[index] = alphabet.randomElement(using: &generator) ?? 0
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let context = TraceContext(traceparent: text) else { continue }
            #expect(context.traceparent.dropFirst(2).dropLast(2) == text.prefix(53).dropFirst(2), "\(text)")
            #expect(text.hasPrefix("00") == false || text.utf8.count == 55, "\(text)")
        }
    }

    private static func state(_ text: String) -> String? {
        TraceContext(traceparent: "00-\(ids)-01", tracestate: text)?.state
    }

    @Test(
        "a state is handed on as it came",
        arguments: [
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "foo=1", "foo=1 \t , \t bar=2, \t baz=3",
            "foo=1,,bar=2",
            "1a-_*/@a-_*/1=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~ x", "foo=1,foo=2", "a= b",
            String(repeating: "z", count: 256) + "=1",
            String(repeating: "t", count: 241) + "@" + String(repeating: "v", count: 14) + "=1",
            "foo=" + String(repeating: "v", count: 256),
            (1...32).map { "k\($0)=\($0)" }.joined(separator: ","),
        ])
    func state(text: String) {
        #expect(Self.state(text) == text)
    }

    @Test(
        "a state that the standard does not allow is left out, and the parent stays",
        arguments: [
            "", " ", ",", "foo", "foo=", "=1", "Foo=1", "foo =1", "foo@=1", "@foo=1", "foo@@bar=1",
            "foo@bar@baz=1",
            "1foo=1", "foo=1\n", "foo=1\r\nx: y", "foo=b=c", "foo=ä", "föö=1", "a@1b=1",
            String(repeating: "z", count: 257) + "=1",
            String(repeating: "t", count: 242) + "@v=1", "t@" + String(repeating: "v", count: 15) + "=1",
            "foo=" + String(repeating: "v", count: 257),
            (1...33).map { "k\($0)=\($0)" }.joined(separator: ","),
        ])
    func badState(text: String) {
        #expect(Self.state(text) == nil)
        #expect(TraceContext(traceID: .init(high: 1, low: 0), spanID: 1, state: text)?.state == nil)
        #expect(TraceContext(traceparent: "00-\(Self.ids)-01", tracestate: text) != nil)
    }

    @Test("a child stays in its trace and keeps what it was given, under an id of its own")
    func child() throws {
        var generator = SplitMix(state: 1)
        let parent = try #require(TraceContext(traceparent: "00-\(Self.ids)-00", tracestate: "a=1"))
        let child = parent.child(using: &generator)
        #expect(child.traceID == parent.traceID && child.state == "a=1" && !child.isSampled)
        #expect(child.spanID != parent.spanID)
        #expect(TraceContext(traceparent: child.traceparent, tracestate: child.state) == child)
    }

    @Test("new ids are never zero, not even of a generator that gives nothing else")
    func zeros() {
        struct Zeros: RandomNumberGenerator {
            func next() -> UInt64 { 0 }
        }
        var zeros = Zeros()
        let root = TraceContext(newTraceUsing: &zeros)
        #expect(TraceContext(traceparent: root.traceparent) == root)
        #expect(root.child(using: &zeros).spanID != 0)
    }

    @Test("ids are written with their zeros")
    func padding() {
        let context = TraceContext(traceID: .init(high: 0, low: 1), spanID: 2)
        #expect(context?.traceparent == "00-00000000000000000000000000000001-0000000000000002-01")
    }
}
