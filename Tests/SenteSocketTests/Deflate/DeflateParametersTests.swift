// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("permessage-deflate, the handshake")
struct DeflateParametersTests {
    static let field = "Sec-WebSocket-Extensions: "
    private static let long = [UInt8](repeating: 0x61, count: 300)

    /// What a client's request says of extensions.
    private func offer(_ policy: CompressionPolicy?) throws -> [String] {
        let request = try UpgradeRequest(WebSocketURL("ws://host/"))
        let compression = policy.map { LinkCompression($0, StoredLibrary()) }
        let peer = Peer(
            Link(
                client: request, key: HandshakeKey(.seeded(1)), compression: compression,
                deadline: .distantFuture))
        let text = String(decoding: peer.output(), as: UTF8.self)
        return text.split(separator: "\r\n").filter { $0.hasPrefix(Self.field) }
            .map { String($0.dropFirst(Self.field.count)) }
    }

    @Test("what is offered follows from the policy, and nothing is offered without one")
    func offers() throws {
        #expect(try offer(nil) == [])
        #expect(try offer(CompressionPolicy()) == ["permessage-deflate; client_max_window_bits"])
        #expect(
            try offer(CompressionPolicy(outgoingWindowBits: 10))
                == ["permessage-deflate; client_max_window_bits=10"])
        #expect(
            try offer(CompressionPolicy(incomingWindowBits: 9, keepsIncomingContext: false))
                == [
                    "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits"
                ])
        #expect(
            try offer(CompressionPolicy(keepsOutgoingContext: false))
                == ["permessage-deflate; client_no_context_takeover; client_max_window_bits"])
    }

    @Test("RFC 7692 §7.1.2.2: client_max_window_bits comes never unasked: every offer has it")
    func clientWindowIsAlwaysOffered() throws {
        for bits in [nil, 9, 12, 15] as [Int?] {
            for keeps in [true, false] {
                var policy = CompressionPolicy(keepsOutgoingContext: keeps, keepsIncomingContext: !keeps)
                if let bits { policy = CompressionPolicy(outgoingWindowBits: bits, incomingWindowBits: bits) }
                let offers = try offer(policy)
                #expect(offers.count == 1 && offers[0].contains("; client_max_window_bits"), "\(offers)")
            }
        }
        let answer = "\(Self.field)permessage-deflate; client_max_window_bits=12\r\n"
        let (peer, _) = try client(nil, answered: answer)
        #expect(peer.told.last?.hasPrefix("failed badHandshake") == true, "\(peer.told)")
    }

    // MARK: - Answers

    /// What a client goes by: windows as the library is asked for them, and whether contexts are kept.
    struct Terms: Equatable, CustomStringConvertible {
        var outgoing: Int? = 15
        var incoming = 15
        var keepsOutgoing = true
        var keepsIncoming = true

        var description: String { "\(outgoing ?? 0) \(incoming) \(keepsOutgoing) \(keepsIncoming)" }
    }

    /// Lets a peer send and receive one message, and looks at what that asked of the library.
    private func terms(of peer: Peer, _ library: StoredLibrary, masked: Bool) -> Terms {
        _ = peer.output()
        #expect(peer.send(Message(.text, Self.long)) == .queued)
        let sent = frames(peer.output())
        #expect(sent.map(\.first) == [library.deflaters.isEmpty ? 0x81 : 0xC1])
        peer.feed(Frame(1, StoredLibrary.payload(Self.long), reserved: 4, masked: masked).bytes())
        #expect(peer.events.last == .received([Message(.text, Self.long)]))
        return Terms(
            outgoing: library.deflaters.first?.first, incoming: library.inflaters.first ?? 0,
            keepsOutgoing: library.resetsOfDeflaters == 0, keepsIncoming: library.resetsOfInflaters == 0)
    }

    private func client(
        _ policy: CompressionPolicy?, answered extensions: String
    ) throws -> (Peer, StoredLibrary) {
        let library = StoredLibrary()
        let (peer, accept) = try Peer.client(compression: policy.map { LinkCompression($0, library) })
        peer.feed(Peer.switching(accept, extra: extensions))
        return (peer, library)
    }

    static let taken: [(CompressionPolicy, String, Terms)] = [
        (.init(), "permessage-deflate", Terms()),
        (.init(), " permessage-deflate\t", Terms()), (.init(), ",permessage-deflate,", Terms()),
        (
            .init(), "permessage-deflate; server_no_context_takeover;client_no_context_takeover",
            Terms(keepsOutgoing: false, keepsIncoming: false)
        ),
        (
            .init(), "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9",
            Terms(outgoing: 9, incoming: 8)
        ),
        (.init(), "permessage-deflate; client_max_window_bits=15", Terms()),
        // Row 48.
        (.init(), "permessage-deflate; server_max_window_bits=\"10\"", Terms(incoming: 10)),
        (.init(), "permessage-deflate; server_max_window_bits=\"1\\0\"", Terms(incoming: 10)),
        // zlib cannot write so small a window: the client sends everything as it is.
        (.init(), "permessage-deflate; client_max_window_bits=8", Terms(outgoing: nil)),
        (.init(outgoingWindowBits: 10), "permessage-deflate", Terms(outgoing: 10)),
        (.init(outgoingWindowBits: 10), "permessage-deflate; client_max_window_bits=12", Terms(outgoing: 10)),
        (.init(outgoingWindowBits: 12), "permessage-deflate; client_max_window_bits=10", Terms(outgoing: 10)),
        (.init(keepsOutgoingContext: false), "permessage-deflate", Terms(keepsOutgoing: false)),
        (.init(incomingWindowBits: 10), "permessage-deflate; server_max_window_bits=10", Terms(incoming: 10)),
        (.init(incomingWindowBits: 10), "permessage-deflate; server_max_window_bits=9", Terms(incoming: 9)),
        (
            .init(keepsIncomingContext: false), "permessage-deflate; server_no_context_takeover",
            Terms(keepsIncoming: false)
        ),
    ]

    @Test("RFC 7692 §7.1: a valid answer is what the client goes by", arguments: taken.indices)
    func takes(index: Int) throws {
        let (policy, answer, expected) = Self.taken[index]
        let (peer, library) = try client(policy, answered: "\(Self.field)\(answer)\r\n")
        #expect(peer.told == ["opened -"], "\(answer)")
        #expect(terms(of: peer, library, masked: false) == expected, "\(answer)")
    }

    @Test("without an answer nothing is compressed, and nothing compressed is taken")
    func declined() throws {
        for lines in ["", Self.field + "\r\n", Self.field + ",\r\n"] {
            let (peer, library) = try client(CompressionPolicy(), answered: lines)
            #expect(peer.send(Message(.text, Self.long)) == .queued)
            #expect(frames(peer.output()).map(\.first) == [0x81])
            peer.feed(Frame(1, [0], reserved: 4).bytes())
            #expect(peer.told == ["opened -", "failed protocolViolation 1002"])
            #expect(library.deflaters.isEmpty && library.inflaters.isEmpty)
        }
    }

    static let parameters = [
        // Row 45.
        "x", "server_no_context_takeover=1", "server_no_context_takeover=true",
        "client_no_context_takeover=\"\"",
        "client_no_context_takeover=8", "server_no_context_takeover; server_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10", "server_max_window_bits",
        "client_max_window_bits", "server_max_window_bits=", "server_max_window_bits=\"\"",
        "Server_Max_Window_Bits=10",
    ]
    static let numbers = ["7", "16", "08", "+9", "0", "-9", "9.0", "1_0", "a", "99999999999999999999"]

    static let refused: [(CompressionPolicy, String)] =
        parameters.map { (CompressionPolicy(), "permessage-deflate; \($0)") }
        + numbers.flatMap { number in
            ["server", "client"].map {
                (CompressionPolicy(), "permessage-deflate; \($0)_max_window_bits=\(number)")
            }
        }
        + [
            // Row 15.
            (.init(), "x-foo"), (.init(), "permessage-deflate, x-foo"), (.init(), "x-webkit-deflate-frame"),
            (.init(), "permessage-deflate, permessage-deflate"),
            (.init(), "permessage-deflate\r\n\(field)permessage-deflate"), (.init(), "Permessage-Deflate"),
            // No list of extensions (RFC 6455 §9.1).
            (.init(), "permessage-deflate;"), (.init(), "permessage-deflate; ;"),
            (.init(), "permessage deflate"),
            (.init(), "; x"), (.init(), "permessage-deflate; server_max_window_bits=\"10"),
            (.init(), "permessage-deflate; server_max_window_bits=\"10\\"),
            (.init(), "permessage-deflate; server_max_window_bits=\"1 0\""),
            (.init(), "permessage-deflate; server_max_window_bits=10 11"), (.init(), "permessage-deflate=1"),
            // Row 47, and likewise for the context.
            (.init(incomingWindowBits: 10), "permessage-deflate; server_max_window_bits=11"),
            (.init(incomingWindowBits: 10), "permessage-deflate"),
            (.init(keepsIncomingContext: false), "permessage-deflate"),
        ]

    @Test(
        "RFC 7692 §7.1: an answer that is wrong or asks for what was not offered fails the handshake",
        arguments: refused.indices)
    func refuses(index: Int) throws {
        let (policy, answer) = Self.refused[index]
        let (peer, library) = try client(policy, answered: "\(Self.field)\(answer)\r\n")
        #expect(peer.told == ["failed badHandshake -"], "\(answer)")
        #expect(peer.link.isOver)
        #expect(library.deflaters.isEmpty && library.inflaters.isEmpty)
    }

    @Test("RFC 6455 §9.1: permessage-deflate is refused where it was not offered")
    func unasked() throws {
        let (peer, _) = try client(nil, answered: "\(Self.field)permessage-deflate\r\n")
        #expect(peer.told == ["failed badHandshake -"])
        #expect(peer.failure?.message.contains("permessage-deflate") == true)
    }

    // MARK: - Servers

    /// The extensions that a server's answer names; nil when it does not open.
    private func answer(
        _ policy: CompressionPolicy?, to offers: [String]
    ) -> (extensions: [String]?, Peer, StoredLibrary) {
        let library = StoredLibrary()
        let peer = Peer.server(compression: policy.map { LinkCompression($0, library) })
        peer.feed(Peer.request(offers.map { "\(Self.field)\($0)\r\n" }.joined()))
        guard peer.accept() else { return (nil, peer, library) }
        let lines = String(decoding: peer.output(), as: UTF8.self).split(separator: "\r\n")
        let extensions = lines.filter { $0.hasPrefix(Self.field) }.map {
            String($0.dropFirst(Self.field.count))
        }
        return (extensions, peer, library)
    }

    static let offered: [(CompressionPolicy, [String], String, Terms)] = [
        (.init(), ["permessage-deflate"], "permessage-deflate", Terms()),
        (.init(), ["permessage-deflate; client_max_window_bits"], "permessage-deflate", Terms()),
        (.init(), ["x-foo; a=1", "permessage-deflate"], "permessage-deflate", Terms()),
        (
            .init(), ["permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"],
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
            Terms(outgoing: 10, incoming: 9)
        ),
        (
            .init(), ["permessage-deflate; server_max_window_bits=15; client_max_window_bits=15"],
            "permessage-deflate; server_max_window_bits=15", Terms()
        ),
        (
            .init(), ["permessage-deflate; server_no_context_takeover; client_no_context_takeover"],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Terms(keepsOutgoing: false, keepsIncoming: false)
        ),
        // Invalid offers are declined, and the next is looked at (RFC 7692 §7.1); so is a window zlib cannot write.
        (
            .init(),
            ["permessage-deflate; x, permessage-deflate; server_max_window_bits=8", "permessage-deflate"],
            "permessage-deflate", Terms()
        ),
        (
            .init(outgoingWindowBits: 12, keepsOutgoingContext: false, keepsIncomingContext: false),
            ["permessage-deflate"],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12",
            Terms(outgoing: 12, keepsOutgoing: false, keepsIncoming: false)
        ),
        (
            .init(incomingWindowBits: 11),
            ["permessage-deflate", "permessage-deflate; client_max_window_bits=12"],
            "permessage-deflate; client_max_window_bits=11", Terms(incoming: 11)
        ),
    ]

    @Test("a server takes the first offer it can, and goes by its own answer", arguments: offered.indices)
    func serverTakes(index: Int) {
        let (policy, offers, expected, terms) = Self.offered[index]
        let (extensions, peer, library) = answer(policy, to: offers)
        #expect(extensions == [expected])
        #expect(self.terms(of: peer, library, masked: true) == terms)
    }

    @Test(
        "a server declines what is invalid, unknown or not to be had, and goes on without",
        arguments: [
            "permessage-deflate; x", "x-foo", "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8", "permessage-deflate; client_max_window_bits=08",
            "permessage-deflate; server_no_context_takeover=1", "",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ])
    func serverDeclines(offer: String) {
        let (extensions, peer, _) = answer(CompressionPolicy(), to: [offer])
        #expect(extensions == [])
        peer.reports = []
        peer.feed(Frame(1, [0], reserved: 4, masked: true).bytes())
        #expect(peer.told == ["failed protocolViolation 1002"])
    }

    @Test(
        "a server that must limit a client's window declines a client that cannot be told, and one without compression everyone"
    )
    func serverCannot() {
        #expect(
            answer(CompressionPolicy(incomingWindowBits: 10), to: ["permessage-deflate"]).extensions == [])
        #expect(answer(nil, to: ["permessage-deflate"]).extensions == [])
    }

    @Test(
        "a request whose extensions are no list is a bad request",
        arguments: ["a b", "a;", "a=1", "a; b=\"c"])
    func malformed(text: String) {
        let (extensions, peer, _) = answer(CompressionPolicy(), to: [text])
        #expect(extensions == nil)
        #expect(String(decoding: peer.output(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        #expect(peer.told == ["failed badHandshake -"])
    }
}
