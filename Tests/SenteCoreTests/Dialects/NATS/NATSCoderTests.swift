// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("NATS on one link")
struct NATSCoderTests {
    /// A coder that has been greeted; its answers come under `_INBOX.me`.
    private static func greeted(
        _ settings: NATSSettings = NATSSettings(), format: WireFormat = .json,
        info: String = "{\"client_id\":7}",
        sizes: SizeLimits = SizeLimits(), readsTraces: Bool = false
    ) throws -> NATSCoder {
        var coder = NATSCoder(settings: settings, format: format, sizes: sizes, readsTraces: readsTraces)
        #expect(coder.heard("INFO \(info)\r\n") == [.challenge])
        _ = try coder.introduction("t", name: "me")
        #expect(coder.heard("PONG\r\n").count == 1)
        return coder
    }

    private static func refused(_ code: SenteError.Code, in inbounds: [Inbound]) -> Correlation? {
        guard case .reply(let correlation, .refused(let error))? = inbounds.last, error.code == code else {
            return nil
        }
        return correlation
    }

    // MARK: The greeting

    @Test("the first INFO asks who comes, the PONG behind the answer greets, and later ones say nothing")
    func greeting() throws {
        var coder = NATSCoder()
        #expect(coder.heard("INFO {\"client_id\":7,\"nonce\":\"n\"}\r\n") == [.challenge])
        let said = try #require(try coder.introduction(nil, name: "me")).string
        #expect(said.hasPrefix("CONNECT {") && said.hasSuffix("}\r\nPING\r\n"))
        #expect(coder.heard("INFO {\"client_id\":7}\r\n") == [])
        guard case .greeting(let identity)? = coder.heard("PONG\r\n").first else {
            return #expect(Bool(false), "no greeting")
        }
        #expect(identity.connectionID == "7" && identity.handshakeData?["client_id"] == 7)
    }

    @Test("what an INFO says of TLS, or says once more around the greeting, changes nothing that is said")
    func otherInfos() throws {
        var plain = NATSCoder()
        _ = plain.heard("INFO {}\r\n")
        let said = try plain.introduction(nil, name: "me")
        var coder = NATSCoder()
        #expect(coder.heard("INFO {\"tls_required\":true,\"tls_available\":true}\r\n") == [.challenge])
        #expect(try coder.introduction(nil, name: "me") == said)
        let again = "INFO {\"connect_info\":true,\"remote_account\":\"$G\"}\r\n"
        #expect(coder.heard(again) == [])
        #expect(coder.heard("PONG\r\n" + again).count == 1)
        #expect(coder.heard(again) == [])
    }

    static let credentials: [(NATSSettings.Credentials?, [String: String])] = [
        (nil, [:]), (.token, ["auth_token": "t"]),
        (.user("ann", password: "p\"\r\n"), ["user": "ann", "pass": "p\"\r\n"]),
        (.bearer, ["jwt": "t"]), (.signed { [0xFB, 0xFF] + $0.prefix(1) }, ["jwt": "t", "sig": "-_9u"]),
    ]

    @Test("credentials stand in CONNECT, one line of JSON", arguments: 0..<5)
    func introduction(index: Int) throws {
        let (credentials, fields) = Self.credentials[index]
        var coder = NATSCoder(settings: NATSSettings(credentials: credentials, name: "shop"))
        _ = coder.heard("INFO {\"nonce\":\"n1\"}\r\n")
        let lines = try #require(try coder.introduction("t", name: "me")).string.split(separator: "\r\n")
        #expect(lines.count == 2)
        let options = try WireFormat.json.decode(Array(lines[0].dropFirst("CONNECT ".count).utf8))
        #expect(options["headers"] == true && options["no_responders"] == true && options["verbose"] == false)
        #expect(options["name"] == "shop" && options["protocol"] == 1)
        for name in ["auth_token", "user", "pass", "jwt", "sig"] {
            #expect(options[name]?.stringValue == fields[name])
        }
    }

    @Test("a token that is missing, and a signer that throws, are said before anything is written")
    func noCredentials() {
        struct Broken: Error {}
        for credentials in [NATSSettings.Credentials.token, .bearer, .signed { _ in throw Broken() }] {
            var coder = NATSCoder(settings: NATSSettings(credentials: credentials))
            _ = coder.heard("INFO {}\r\n")
            var token: String?
            if case .signed = credentials { token = "t" }
            let error = #expect(throws: SenteError.self) { try coder.introduction(token, name: "me") }
            #expect(error?.code == .providerFailed)
        }
    }

    @Test("credentials that are refused, and a server that is full, say so as HTTP does")
    func refusals() throws {
        for (text, status) in [("Authorization Violation", 401), ("maximum connections exceeded", 503)] {
            var coder = NATSCoder()
            _ = coder.heard("INFO {}\r\n")
            _ = try coder.introduction(nil, name: "me")
            #expect(
                coder.heard("-ERR '\(text)'\r\n") == [
                    .refused(Refusal(status: status, body: Array(text.utf8)))
                ])
        }
        // Later it is over, and the server ends the link.
        var coder = try Self.greeted()
        guard case .failure? = coder.heard("-ERR 'User Authentication Expired'\r\n").first else {
            return #expect(Bool(false), "no failure")
        }
    }

    // MARK: Operations and their PONGs

    @Test("each operation has a PING behind it, whose PONG is its answer, in the order of saying")
    func fences() throws {
        var coder = try Self.greeted()
        #expect(try coder.said(.subscribe(channel: "a.>")) == "SUB a.> 1\r\nPING\r\n")
        #expect(
            try coder.said(.publish(channel: "a", data: ["n": 1], excludeSender: false))
                == "PUB a 7\r\n{\"n\":1}\r\nPING\r\n")
        #expect(try coder.said(.ping(stamp: 5)) == "PING\r\n")
        #expect(try coder.said(.unsubscribe(channel: "a.>")) == "UNSUB 1\r\nPING\r\n")
        #expect(try coder.said(.unsubscribe(channel: "never")) == "PING\r\n")
        #expect(try coder.said(.pong(original: nil)) == "PONG\r\n")
        #expect(
            coder.heard("PONG\r\nPONG\r\nPONG\r\nPONG\r\nPONG\r\n") == [
                .reply(.next(.subscribe, channel: "a.>"), .subscribed(retained: [])),
                .reply(.next(.publish, channel: "a"), .published(PublishReceipt(acknowledgement: .accepted))),
                .pong(stamp: 5),
                .reply(.next(.unsubscribe, channel: "a.>"), .unsubscribed),
                .reply(.next(.unsubscribe, channel: "never"), .unsubscribed),
            ])
    }

    @Test("a PONG too many ends the link: every later one would answer the wrong call")
    func surplusPong() throws {
        var coder = try Self.greeted()
        _ = try coder.said(.ping(stamp: 1))
        let heard = coder.heard("PONG\r\nPONG\r\nPONG\r\n")
        #expect(heard.count == 2 && heard.first == .pong(stamp: 1))
        guard case .violation(let why)? = heard.last else { return #expect(Bool(false), "no violation") }
        #expect(why.contains("PONG"))
    }

    @Test("a complaint belongs to what its PONG answers, and to nothing else")
    func complaints() throws {
        var coder = try Self.greeted()
        for outbound in [
            Outbound.publish(channel: "no", data: .null, excludeSender: false),
            .publish(channel: "a", data: .null, excludeSender: false),
            .subscribe(channel: "no.x"), .subscribe(channel: "a"), .subscribe(channel: "q others"),
        ] {
            _ = try coder.said(outbound)
        }
        #expect(
            Self.refused(
                .rejected, in: coder.heard("-ERR 'Permissions Violation for Publish to \"no\"'\r\nPONG\r\n"))
                == .next(.publish, channel: "no"))
        // Of an answer that went out before; the publish was taken.
        let other = coder.heard("-ERR 'Permissions Violation for Publish to \"_INBOX.x\"'\r\nPONG\r\n")
        guard case .failure? = other.first else { return #expect(Bool(false), "\(other)") }
        #expect(
            other.last
                == .reply(
                    .next(.publish, channel: "a"), .published(PublishReceipt(acknowledgement: .accepted))))
        #expect(
            Self.refused(
                .rejected,
                in: coder.heard("-ERR 'Permissions Violation for Subscription to \"no.x\"'\r\nPONG\r\n"))
                == .next(.subscribe, channel: "no.x"))
        #expect(
            Self.refused(.rejected, in: coder.heard("-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n"))
                == .next(.subscribe, channel: "a"))
        #expect(
            Self.refused(
                .rejected,
                in: coder.heard(
                    "-ERR 'Permissions Violation for Subscription to \"q\" using queue \"others\"'\r\nPONG\r\n"
                ))
                == .next(.subscribe, channel: "q others"))
    }

    @Test("a permission that is taken away ends the subscription that stood by it")
    func lost() throws {
        var coder = try Self.greeted()
        _ = try coder.said(.subscribe(channel: "b.x"))
        _ = coder.heard("PONG\r\n")
        guard
            case .subscriptionLost("b.x", let error)? =
                coder.heard("-ERR 'Permissions Violation for Subscription to \"b.x\" (sid \"1\")'\r\n").first
        else { return #expect(Bool(false), "not lost") }
        #expect(error.code == .rejected)
        #expect(coder.heard("MSG b.x 1 0\r\n\r\n") == [.noise])
        #expect(try coder.said(.subscribe(channel: "b.x")) == "SUB b.x 2\r\nPING\r\n")
    }

    // MARK: Messages

    @Test("a message goes to the wish whose number it has, under its own subject")
    func deliveries() throws {
        var coder = try Self.greeted()
        _ = try coder.said(.subscribe(channel: "a.*"))
        _ = try coder.said(.subscribe(channel: "a.b"))
        _ = coder.heard("PONG\r\nPONG\r\n")
        #expect(
            coder.heard("MSG a.b 1 1\r\n1\r\nMSG a.b 2 1\r\n2\r\nMSG a.b 3 1\r\n3\r\nMSG a.b x 1\r\n4\r\n")
                == [
                    .delivery(ChannelMessage(channel: "a.*", data: 1, subject: "a.b")),
                    .delivery(ChannelMessage(channel: "a.b", data: 2)), .noise, .noise,
                ])
        _ = try coder.said(.unsubscribe(channel: "a.*"))
        #expect(coder.heard("MSG a.b 1 1\r\n1\r\n") == [.noise])
    }

    static let payloads: [(WireFormat, type: String?, payload: String, Value)] = [
        (.json, nil, "{\"a\":[1,null]}", ["a": [1, .null]]), (.json, nil, "", .null),
        (.json, nil, "hello", .bytes(Array("hello".utf8))), (.edn, nil, ":a/b", .keyword("a/b")),
        (.json, "application/edn", ":a/b", .keyword("a/b")),
        (.edn, "Application/JSON; charset=utf-8", "[1]", [1]),
        (.json, "application/octet-stream", "[1]", .bytes(Array("[1]".utf8))),
        (.json, "text/plain", "[1]", .bytes(Array("[1]".utf8))),
        (.json, "application/edn", "{", .bytes(Array("{".utf8))),
    ]

    @Test(
        "data is read by its type, else in the configured format, and foreign bytes are bytes",
        arguments: 0..<9)
    func payloads(index: Int) throws {
        let (format, type, payload, value) = Self.payloads[index]
        var coder = try Self.greeted(format: format)
        _ = try coder.said(.subscribe(channel: "a"))
        _ = coder.heard("PONG\r\n")
        let head = type.map { "NATS/1.0\r\ncontent-type: \($0)\r\n\r\n" } ?? ""
        let line =
            type == nil
            ? "MSG a 1 \(payload.utf8.count)"
            : "HMSG a 1 \(head.utf8.count) \(head.utf8.count + payload.utf8.count)"
        guard case .delivery(let message)? = coder.heard("\(line)\r\n\(head)\(payload)\r\n").first else {
            return #expect(Bool(false), "no delivery")
        }
        #expect(message.data == value)
        #expect(message.headers["content-type"] == type)
    }

    @Test("what is written says its type unless it is JSON, and is read again as it was")
    func formats() throws {
        for format in [WireFormat.json, .edn, .transitJSON, .transitMessagePack, .senteMessagePack] {
            var coder = try Self.greeted(format: format)
            _ = try coder.said(.subscribe(channel: "a"))
            _ = coder.heard("PONG\r\n")
            for data in [["n": 1, "t": ["x", true, .null]], .null, .bytes([0, 13, 10, 255])] as [Value] {
                let said = try coder.encode(
                    .publish(channel: "a", data: data, excludeSender: false), at: Vectors.now
                ).bytes
                let line = String(decoding: said.prefix { $0 != 13 }, as: UTF8.self)
                #expect(
                    line.hasPrefix(data.isNull || format == .json && data.mapValue != nil ? "PUB " : "HPUB "))
                // What is published under number 1 is what a subscriber under number 1 gets.
                let heard =
                    line.hasPrefix("H") ? "HMSG a 1 " + line.dropFirst(7) : "MSG a 1 " + line.dropFirst(6)
                let bytes =
                    Array(heard.utf8) + said.dropFirst(line.utf8.count).dropLast("PING\r\n".utf8.count)
                guard
                    case .delivery(let message)? = coder.decode(.binary(bytes), isCallback: Vectors.nobody)
                        .first
                else {
                    return #expect(Bool(false), "\(format) \(heard)")
                }
                #expect(message.data == data, "\(format)")
            }
        }
    }

    @Test("a client's own message can be left out, and headers name traces and messages")
    func headers() throws {
        var coder = try Self.greeted(readsTraces: true)
        _ = try coder.said(.subscribe(channel: "a"))
        _ = coder.heard("PONG\r\n")
        #expect(
            try coder.said(.publish(channel: "a", data: 1, excludeSender: true))
                == "HPUB a 30 31\r\nNATS/1.0\r\nSente-Sender: me\r\n\r\n1\r\nPING\r\n")
        #expect(coder.heard("HMSG a 1 30 31\r\nNATS/1.0\r\nSente-Sender: me\r\n\r\n1\r\n") == [.noise])
        #expect(coder.heard("HMSG a 1 31 32\r\nNATS/1.0\r\nSente-Sender: you\r\n\r\n1\r\n") != [.noise])
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let trace = try #require(TraceContext(traceparent: text, tracestate: "a=1"))
        let said = try coder.said(
            .identified("m1", .traced(.publish(channel: "a", data: 1, excludeSender: false), by: trace)))
        #expect(said.contains("\r\nNats-Msg-Id: m1\r\ntraceparent: \(text)\r\ntracestate: a=1\r\n"))
        let head = "NATS/1.0\r\nTraceparent: \(text)\r\nTracestate: a=1\r\n\r\n"
        guard
            case .delivery(let message)? = coder.heard(
                "HMSG a 1 \(head.utf8.count) \(head.utf8.count)\r\n\(head)\r\n"
            ).first
        else {
            return #expect(Bool(false), "no delivery")
        }
        #expect(message.trace == trace && message.data == .null)
    }

    @Test("headers that are none, and a message that is too large, are passed over with a sentence")
    func undecodable() throws {
        var coder = try Self.greeted(sizes: SizeLimits(incomingMessage: 100))
        _ = try coder.said(.subscribe(channel: "a"))
        _ = coder.heard("PONG\r\n")
        let large = String(repeating: "x", count: 101)
        for text in ["HMSG a 1 4 5\r\nJUNK1\r\n", "MSG a 1 101\r\n\(large)\r\n"] {
            let heard = coder.heard(text + "PING\r\n")
            #expect(
                heard.first?.complaint?.hasSuffix("it was skipped.") == true
                    && heard.last == .ping(stamp: nil))
        }
    }

    @Test("headers of the app's go as they are, and are checked before they stand in a line")
    func ownHeaders() throws {
        var coder = try Self.greeted()
        let publish = Outbound.publish(channel: "a", data: .bytes([49]), excludeSender: false)
        #expect(
            try coder.said(.headed(["a": "1", "a": "2", "Content-Type": "text/plain"], publish))
                == "HPUB a 50 51\r\nNATS/1.0\r\na: 1\r\na: 2\r\nContent-Type: text/plain\r\n\r\n1\r\nPING\r\n"
        )
        for fields in [["a b": "x"], ["a": "1\r\nPUB x 0\r\n"]] as [NamedValues] {
            let outbound = Outbound.headed(fields, publish)
            var error = #expect(throws: SenteError.self) { try coder.said(outbound) }
            #expect(error?.code == .invalidArgument)
            error = #expect(throws: SenteError.self) {
                try Dialect.nats.check(outbound, limit: SizeLimits())
            }
            #expect(error?.code == .invalidArgument)
        }
        for dialect in Dialect.detected {
            let error = #expect(throws: SenteError.self) {
                try dialect.check(.headed(["a": "1"], .event(Event(id: "a/b"))), limit: SizeLimits())
            }
            #expect(error?.code == .unsupported && error?.message.contains("headers") == true)
        }
        let answer = Outbound.answer(requestID: "r", data: 1, isError: false).headed(by: ["a": "1"])
        #expect(try coder.said(answer) == "HPUB r 18 19\r\nNATS/1.0\r\na: 1\r\n\r\n1\r\n")
    }

    // MARK: Requests

    @Test("answers come to an inbox of the link, which is subscribed with the first request")
    func requests() throws {
        var coder = try Self.greeted()
        #expect(
            try coder.said(.request(channel: "s", data: [1], limit: 1_000))
                == "SUB _INBOX.me.* 1\r\nPUB s _INBOX.me.1 3\r\n[1]\r\nPING\r\n")
        #expect(
            try coder.said(.request(channel: "s", data: .null, limit: 1_000))
                == "PUB s _INBOX.me.2 0\r\n\r\nPING\r\n")
        #expect(
            coder.heard("PONG\r\nMSG _INBOX.me.1 1 1\r\n7\r\n") == [
                .reply(.next(.request, channel: "s"), .forwarded(requestID: "_INBOX.me.1", deliveredTo: nil)),
                .reply(.id(.answer, "_INBOX.me.1"), .answered(7)),
            ])
        let nobody = coder.heard("HMSG _INBOX.me.2 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nPONG\r\n")
        guard case .reply(.id(.answer, "_INBOX.me.2"), .refused(let error))? = nobody.first else {
            return #expect(Bool(false), "\(nobody)")
        }
        #expect(error.code == .noSubscribers && error.isRetryable)
        // nats-server names the subject from 2.12 on.
        _ = try coder.said(.request(channel: "s", data: .null, limit: 1_000))
        let head = "NATS/1.0 503\r\nNats-Subject: s\r\n\r\n"
        let named = coder.heard(
            "HMSG _INBOX.me.3 1 \(head.utf8.count) \(head.utf8.count)\r\n\(head)\r\nPONG\r\n")
        #expect(Self.refused(.noSubscribers, in: Array(named.prefix(1))) == .id(.answer, "_INBOX.me.3"))
    }

    @Test("a service's errors stand in headers, and what it has to say of them is the payload")
    func failures() throws {
        var coder = try Self.greeted()
        _ = try coder.said(.request(channel: "s", data: .null, limit: 1_000))
        _ = coder.heard("PONG\r\n")
        func answer(_ code: String, _ text: String, _ payload: String) -> SenteError? {
            let head = "NATS/1.0\r\nNats-Service-Error-Code: \(code)\r\nNats-Service-Error: \(text)\r\n\r\n"
            let size = head.utf8.count
            let heard = coder.heard(
                "HMSG _INBOX.me.1 1 \(size) \(size + payload.utf8.count)\r\n\(head)\(payload)\r\n")
            guard case .reply(_, .refused(let error))? = heard.first else { return nil }
            return error
        }
        #expect(answer("429", "busy", "")?.code == .busy)
        #expect(answer("500", "no seat", "")?.remoteError == RemoteError(code: "500", message: "no seat"))
        let own = answer("500", "x", "{\"code\":\"sold-out\",\"details\":{\"row\":7}}")
        #expect(own?.remoteError == RemoteError(code: "sold-out", details: ["row": 7]))
    }

    @Test("a request that may not be said, or whose answer may not be heard, is refused by its PONG")
    func forbiddenRequests() throws {
        var coder = try Self.greeted()
        for fault in ["Publish to \"s\"", "Subscription to \"_INBOX.me.*\""] {
            _ = try coder.said(.request(channel: "s", data: .null, limit: 1_000))
            #expect(
                Self.refused(
                    .rejected, in: coder.heard("-ERR 'Permissions Violation for \(fault)'\r\nPONG\r\n"))
                    == .next(.request, channel: "s"))
        }
        // The next one tries again.
        #expect(
            try coder.said(.request(channel: "s", data: .null, limit: 1_000)).hasPrefix(
                "SUB _INBOX.me.* 2\r\n"))
    }

    @Test("a service hears a share of its subject, and answers to where the request says")
    func services() throws {
        var coder = try Self.greeted()
        #expect(try coder.said(.subscribe(channel: "s q")) == "SUB s q 1\r\nPING\r\n")
        _ = coder.heard("PONG\r\n")
        #expect(
            coder.heard("MSG s 1 _INBOX.you.9 1\r\n1\r\n")
                == [.request(IncomingRequest(id: "_INBOX.you.9", channel: "s q", data: 1))])
        // Nobody waits for an answer: it is no request.
        #expect(coder.heard("MSG s 1 1\r\n1\r\n") == [.noise])
        #expect(
            try coder.said(.answer(requestID: "_INBOX.you.9", data: 2, isError: false))
                == "PUB _INBOX.you.9 1\r\n2\r\n")
        let failed = try coder.said(
            .answer(
                requestID: "r", data: RemoteError(code: "sold-out", message: "No\r\nseat.").value,
                isError: true))
        #expect(
            failed.contains(
                "\r\nNats-Service-Error-Code: 500\r\nNats-Service-Error: No··seat. (sold-out)\r\n\r\n{"))
        let busy = try coder.said(.answer(requestID: "r", data: ["reason": "busy"], isError: true))
        #expect(busy.contains("Nats-Service-Error-Code: 429\r\n"))
        #expect(try coder.said(.unsubscribe(channel: "s q")) == "UNSUB 1\r\nPING\r\n")
        // Nobody else of the group has what was on its way.
        let request = Inbound.request(IncomingRequest(id: "_INBOX.you.9", channel: "s q", data: 1))
        #expect(coder.heard("MSG s 1 _INBOX.you.9 1\r\n1\r\n") == [request])
        _ = coder.heard("PONG\r\n")
        #expect(coder.heard("MSG s 1 _INBOX.you.9 1\r\n1\r\n") == [.noise])
    }

    @Test("a trace shows lines alone: neither credentials nor what is carried")
    func traces() throws {
        var coder = NATSCoder(settings: NATSSettings(credentials: .user("ann", password: "secret")))
        _ = coder.heard("INFO {}\r\n")
        let introduction = try #require(try coder.introduction(nil, name: "me"))
        #expect(try coder.value(of: introduction) == "CONNECT")
        let publish = try coder.encode(
            .publish(channel: "a", data: "secret", excludeSender: false), at: Vectors.now)
        #expect(try coder.value(of: publish) == "PUB a 8")
        #expect(throws: UnreadableError.self) { try coder.value(of: .text("secret\r\nPING\r\n")) }
    }

    // MARK: What cannot be said

    @Test("what cannot be said leaves no trace: the PONGs still answer what was")
    func unsayable() throws {
        var coder = try Self.greeted(info: "{\"max_payload\":50}", sizes: SizeLimits(outgoingMessage: 60))
        let large = Value.string(String(repeating: "x", count: 49))
        let refused: [(Outbound, SenteError.Code)] = [
            (.publish(channel: "a", data: large, excludeSender: false), .messageTooLarge),
            (.request(channel: "a", data: large, limit: 1), .messageTooLarge),
            (
                .publish(
                    channel: "a", data: .string(String(repeating: "x", count: 70)), excludeSender: false),
                .messageTooLarge
            ),
            (.publish(channel: "a b", data: .null, excludeSender: false), .invalidArgument),
            (.publish(channel: "a\r\nPUB x 0\r\n", data: .null, excludeSender: false), .invalidArgument),
            (.publish(channel: "a.*", data: .null, excludeSender: false), .invalidArgument),
            (.request(channel: ">", data: .null, limit: 1), .invalidArgument),
            (.subscribe(channel: "a..b"), .invalidArgument), (.subscribe(channel: "a b c"), .invalidArgument),
            (.event(Event(id: "my/ev")), .unsupported), (.listChannels, .unsupported),
            (.listSubscriptions, .unsupported),
        ]
        for (outbound, code) in refused {
            let error = #expect(throws: SenteError.self, "\(outbound)") {
                try coder.encode(outbound, at: Vectors.now)
            }
            #expect(error?.code == code && error?.outcome == .notSent, "\(outbound)")
        }
        // Exactly as much as the server takes.
        let fits = Value.string(String(repeating: "x", count: 48))
        #expect(
            try coder.said(.request(channel: "a", data: fits, limit: 1)).hasPrefix(
                "SUB _INBOX.me.* 1\r\nPUB a _INBOX.me.1 50\r\n"))
        guard case .reply(.next(.request, "a"), .forwarded)? = coder.heard("PONG\r\n").first else {
            return #expect(Bool(false), "another answer")
        }
        #expect(coder.heard("PONG\r\n").count == 1)
    }
}

extension NATSCoder {
    fileprivate mutating func said(_ outbound: Outbound) throws(SenteError) -> String {
        try encode(outbound, at: Vectors.now).string
    }

    fileprivate mutating func heard(_ text: String) -> [Inbound] {
        decode(.binary(Array(text.utf8)), isCallback: Vectors.nobody)
    }
}
