// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// What a world's server and its clients speak, for those who read bytes or speak in the server's place.
struct WireSetup {
    let dialect: Dialect
    let format: WireFormat
    /// Which release of Sente the server is.
    let version: SenteSettings.Version

    init(_ dialect: Dialect, _ format: WireFormat? = nil, version: SenteSettings.Version = .current) {
        self.dialect = dialect
        self.format = format ?? (dialect == .senteLiteMaps ? .json : .edn)
        self.version = version
    }

    /// Any pair of dialect and format that servers have.
    static func any(_ dialect: Dialect, using random: inout Generator) -> WireSetup {
        let formats: [WireFormat] =
            switch dialect {
            case .senteLiteMaps: [.json, .json, .edn, .transitJSON, .transitJSONVerbose]
            case .senteLiteVectors: [.edn, .edn, .transitJSON]
            case .sente, .nats:
                [
                    .edn, .transitJSON, .transitJSONVerbose, .senteMessagePack,
                    .gzip(over: .edn, compressor: store), .gzip(over: .senteMessagePack, compressor: store),
                ]
            }
        let format = formats[Int.random(in: 0..<formats.count, using: &random)]
        // Packers of bytes came with 1.21.
        guard dialect == .sente, !format.isBinary else { return WireSetup(dialect, format) }
        let versions = SenteSettings.Version.allCases
        return WireSetup(
            dialect, format, version: versions[Int.random(in: 0..<versions.count, using: &random)])
    }

    /// Compresses nothing: this target has no library for it, and here it is about dialects.
    static let store = Compressor { bytes, output throws(WireError) in
        output.append(contentsOf: bytes)
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.count <= limit else { throw WireError(.tooLarge, "Too much.") }
        output.append(contentsOf: bytes)
    }

    var detector: DialectDetector { DialectDetector(compressor: Self.store) }
    /// Sente's servers up to 1.17 answer no ping.
    var answersPings: Bool { version != .prefixed }
    var hasChannels: Bool { dialect != .sente }
    var hasRequests: Bool { dialect == .senteLiteMaps }

    var server: ServerConfiguration {
        var configuration =
            switch dialect {
            case .senteLiteMaps: ServerConfiguration(.maps)
            case .senteLiteVectors: ServerConfiguration(.vectors)
            case .sente, .nats: ServerConfiguration(.sente)
            }
        configuration.format = format
        configuration.sente = SenteSettings(version)
        return configuration
    }

    /// Who a client is for a server of Sente.
    func handshake(_ client: WorldClient) -> HandshakeInfo {
        dialect == .sente
            ? HandshakeInfo(clientID: "c\(client.number)", uid: .string("u\(client.number)"))
            : HandshakeInfo()
    }

    // MARK: Words

    /// An application's id: with a namespace where it must have one.
    func id(_ name: String) -> Keyword {
        dialect == .senteLiteMaps ? Keyword(name) : Keyword(namespace: "app", name: name)
    }

    /// What the server says to all of its own accord.
    var announcement: Value {
        dialect == .senteLiteMaps
            ? ["type": "news-of-the-server", "n": "none"]
            : [.keyword("app/news-of-the-server"), ["n": "none"]]
    }

    /// The number of the tracked message that an event answers, if it answers one.
    func answered(by event: Event) -> Int? {
        let data: Value? =
            switch dialect {
            case .senteLiteMaps: field("original", of: event.data)
            case .senteLiteVectors: field("original-data", of: event.data)
            // Without a callback the event itself comes back.
            case .sente, .nats: event.id == id("question") ? event.data : nil
            }
        return data?["n"]?.integerValue.map { Int($0) }
    }

    /// The number of the tracked message that a value answers.
    func answered(by value: Value) -> Int? {
        let data = field("original-data", of: value) ?? value
        return (data["answer"] ?? data["n"])?.integerValue.map { Int($0) }
    }

    /// A field by its name, text or keyword.
    func field(_ name: String, of value: Value) -> Value? { value[name] ?? value[Keyword(name)] }

    /// What no server of this format could have been sent.
    var unencodable: Value {
        guard format != .json else { return .double(.nan) }
        return (0..<600).reduce(.null) { inner, _ in [inner] }
    }

    // MARK: Bytes

    func message(_ value: Value) -> Message? {
        (try? format.encode(value)).map { Message(format.isBinary ? .binary : .text, $0) }
    }

    /// A greeting that nobody asked for.
    var staleGreeting: Message? {
        switch dialect {
        case .senteLiteMaps: message([.keyword("type"): "welcome", .keyword("conn-id"): "stale"])
        case .senteLiteVectors: message([.keyword("chsk/handshake"), ["stale", .null]])
        case .sente, .nats: message([[.keyword("chsk/handshake"), ["stale", .null]], .null])
        }
    }

    /// How many of these are the server's pings.
    func pings(in messages: [Message]) -> Int {
        switch dialect {
        case .senteLiteMaps: messages.count { $0.bytes.starts(with: Self.pingPrefixes[format.name] ?? []) }
        case .senteLiteVectors: messages.count { $0 == Self.message([.keyword("chsk/ws-ping")], format) }
        case .sente, .nats:
            messages.count { message in
                let rest =
                    message.string.hasPrefix("+")
                    ? Message(message.kind, Array(message.bytes.dropFirst())) : message
                return rest == Self.message([.keyword("chsk/ws-ping"), .null], format)
                    || rest == Self.message([.keyword("chsk/ws-ping")], format)
            }
        }
    }

    private static let pingPrefixes: [String: [UInt8]] = [
        "json": #"{"type":"ping""#, "edn": "{:type :ping", "transit-json": ##"["^ ","~:type","~:ping""##,
        "transit-json-verbose": #"{"~:type":"~:ping""#,
    ].mapValues { Array($0.utf8) }

    private static func message(_ value: Value, _ format: WireFormat) -> Message? {
        (try? format.encode(value)).map { Message(format.isBinary ? .binary : .text, $0) }
    }

    /// What no server should say, and what is no reply: a lie about a reply cannot be told from the truth.
    func nonsense(using random: inout Generator) -> Message {
        let values = (Self.nonsense[dialect] ?? []).compactMap {
            (try? WireFormat.edn.decode(Array($0.utf8)))
        }
        let texts = ["{broken", "", String(repeating: "[", count: 2_000), "[1,2]", "null", "2"]
        if dialect == .senteLiteMaps, format == .json, Bool.random(using: &random) {
            return .text(Self.nonsenseJSON[Int.random(in: 0..<Self.nonsenseJSON.count, using: &random)])
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return format.isBinary ? .text("[]") : .binary([0, 1, 255])
        case 1...3:
            let text = texts[Int.random(in: 0..<texts.count, using: &random)]
            return Message(format.isBinary ? .binary : .text, Array(text.utf8))
        default: return message(values[Int.random(in: 0..<values.count, using: &random)]) ?? .text("")
        }
    }

    private static let nonsenseJSON = [
        #"{"type":7}"#, #"{"type":"who-knows","a":null}"#, #"{"type":"channel-message"}"#,
        #"{"type":"welcome"}"#, #"{"type":"error","message":null}"#,
        #"{"type":"pong","original-timestamp":-1}"#, #"{"type":"rpc-response","request-id":"nobody"}"#,
        #"{"type":"echo","original":{"type":"pong"}}"#,
    ]

    /// In EDN.
    private static let nonsense: [Dialect: [String]] = [
        .senteLiteMaps: [
            "{:type 7}", "{:type :who-knows}", "[1 2]", "{:type :channel-message}", "{:type :welcome}",
            "{:type :error :message nil}", "{:type :echo :original {:type :pong}}", "{:type :rpc-response}",
        ],
        .senteLiteVectors: [
            "[:plain 1]", "[nil 1]", "{:type :welcome}", "[]", "[[:app/bare] 5]", "[:app/three 1 2]",
            #"[:chsk/reply {:cb-uuid "nobody"}]"#, #"[:chsk/recv ["nobody" 1]]"#, #"[1 "nobody"]"#,
            "[:sente-lite/channel-msg {}]", "[:chsk/handshake [1]]", #"[:chsk/handshake ["stale" nil]]"#,
            #"[:sente-lite/subscribed {:channel-id "nobody" :success false}]"#,
            #"[:sente-lite/subscribed {:channel-id "nobody" :success true}]"#,
        ],
        .sente: [
            "[1 2 3]", "nil", "[[[:plain 1]] nil]", "[[[:chsk/state 1] [:app/bare] 5] nil]", "[[] nil]",
            #"[1 "nobody"]"#, #"["pong" "nobody"]"#, #"["pong" "000000"]"#, "[5 nil]", "[[] 5]",
            "[[:chsk/handshake [1]] nil]", #"[[:chsk/handshake ["stale" nil]] nil]"#,
        ],
    ]
}
