// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("What a stream says to a message that it is to keep")
struct StoredAnswerTests {
    private static func greeted() throws -> NATSCoder {
        var coder = NATSCoder()
        _ = coder.hear("INFO {}\r\n")
        _ = try coder.introduction(nil, name: "me")
        _ = coder.hear("PONG\r\n")
        return coder
    }

    private static func store(_ stored: StoredPublish, token: UInt64 = 3) -> Outbound {
        .jetStream(.store(channel: "a", data: 7, stored, token: token))
    }

    /// What the answer in the inbox is taken for.
    private static func answer(_ text: String, to subject: String = "_INBOX.me.s3") throws -> [Inbound] {
        var coder = try greeted()
        _ = try coder.encode(store(StoredPublish(messageID: "m")), at: Vectors.now)
        return coder.hear("MSG \(subject) 1 \(text.utf8.count)\r\n\(text)\r\n")
    }

    @Test("a message goes with its id and what it expects, and awaits the answer in the inbox")
    func spelled() throws {
        var coder = try Self.greeted()
        let stored = StoredPublish(
            messageID: "m-1", expectedLastSequence: 4, expectedLastChannelSequence: 0)
        let head =
            "NATS/1.0\r\nNats-Msg-Id: m-1\r\nNats-Expected-Last-Sequence: 4\r\nNats-Expected-Last-Subject-Sequence: 0\r\n\r\n"
        #expect(
            try coder.encode(Self.store(stored), at: Vectors.now).string
                == "SUB _INBOX.me.* 1\r\nHPUB a _INBOX.me.s3 \(head.utf8.count) \(head.utf8.count + 1)\r\n\(head)7\r\nPING\r\n"
        )
        // The inbox is there now.
        #expect(
            try coder.encode(Self.store(stored, token: 4), at: Vectors.now).string.hasPrefix(
                "HPUB a _INBOX.me.s4 "))
        #expect(coder.hear("PONG\r\n") == [.noise])
        #expect(
            coder.hear("-ERR 'Permissions Violation for Publish to \"a\"'\r\nPONG\r\n").last.map {
                if case .jetStream(.stored(4, .refused(let error))) = $0 {
                    error.code == .rejected
                } else {
                    false
                }
            } == true)
    }

    @Test("an acknowledgement is a receipt, of the first or of a second of its kind")
    func kept() throws {
        func receipt(_ id: String, isDuplicate: Bool = false) -> [Inbound] {
            let receipt = PublishReceipt(
                messageID: id, acknowledgement: .stored, isDuplicate: isDuplicate)
            return [.jetStream(.stored(token: 3, .kept(receipt)))]
        }
        #expect(try Self.answer(#"{"stream":"ORDERS", "seq":1}"#) == receipt("ORDERS:1"))
        #expect(
            try Self.answer(#"{"stream":"EV", "seq":2,"duplicate": true}"#)
                == receipt("EV:2", isDuplicate: true))
        #expect(
            try Self.answer(#"{"stream":"EV","domain":"hub","seq":9223372036854775807}"#)
                == receipt("EV:9223372036854775807"))
    }

    @Test("a refusal has the stream's reason and number", arguments: [10_071, 10_070, 10_060])
    func refused(number: Int) throws {
        let text =
            "{\"error\":{\"code\":400,\"err_code\":\(number),\"description\":\"wrong last sequence: 3\"},\"stream\":\"ORDERS\",\"seq\":0}"
        guard case .jetStream(.stored(3, .refused(let error)))? = try Self.answer(text).first else {
            return #expect(Bool(false), "no refusal")
        }
        #expect(error.code == .rejected && error.outcome == .acknowledged)
        #expect(error.details?["err_code"] == Value(number))
        #expect(error.message.contains("wrong last sequence: 3 (error \(number))"))
    }

    @Test("503 and a stream that has no leader are no answer: it may be tried again")
    func unavailable() throws {
        var coder = try Self.greeted()
        _ = try coder.encode(Self.store(.once), at: Vectors.now)
        for head in ["NATS/1.0 503", "NATS/1.0 409 Leadership Change"] {
            let size = head.utf8.count + 4
            let heard = coder.hear("HMSG _INBOX.me.s3 1 \(size) \(size)\r\n\(head)\r\n\r\n\r\n")
            guard case .jetStream(.stored(3, .unavailable))? = heard.first else {
                return #expect(Bool(false), "\(heard)")
            }
        }
        let text = #"{"error":{"code":503,"err_code":10008,"description":"temporarily unavailable"}}"#
        guard case .jetStream(.stored(3, .unavailable(let why)))? = try Self.answer(text).first else {
            return #expect(Bool(false), "no answer")
        }
        #expect(why.contains("temporarily unavailable"))
    }

    @Test(
        "what is no acknowledgement says that no stream answered",
        arguments: [
            "", "7", "null", "[]", "{}", "nonsense", #"{"stream":"X"}"#, #"{"stream":"","seq":1}"#,
            #"{"stream":"X","seq":0}"#, #"{"stream":"X","seq":-1}"#, #"{"stream":7,"seq":1}"#,
            #"{"stream":"X","seq":1e99}"#, #"{"stream":"X","seq":99999999999999999999}"#,
            "{\"stream\":\"" + String(repeating: "x", count: 300) + "\",\"seq\":1}",
            String(repeating: "[", count: 10_000),
        ])
    func strange(text: String) throws {
        guard case .jetStream(.stored(3, .refused(let error)))? = try Self.answer(text).first else {
            return #expect(Bool(false), "no refusal")
        }
        #expect(error.code == .undecodable && error.outcome == .unknown)
    }

    @Test("what answers none of these in the inbox is a request's, or nobody's")
    func others() throws {
        for subject in ["_INBOX.me.3", "_INBOX.me.s", "_INBOX.me.sx", "_INBOX.you.s3"] {
            guard case .reply? = try Self.answer("{}", to: subject).first else {
                return #expect(Bool(false), "\(subject)")
            }
        }
    }

    @Test("other dialects keep nothing, and an id that is none is refused")
    func unsupported() {
        for dialect in [Dialect.senteLiteMaps, .senteLiteVectors, .sente] {
            let error = #expect(throws: SenteError.self) {
                try dialect.check(Self.store(.once), limit: SizeLimits())
            }
            #expect(error?.code == .unsupported && error?.outcome == .notSent)
        }
        for id in ["", "a\r\nb", String(repeating: "x", count: 1_025)] {
            let error = #expect(throws: SenteError.self) {
                try Dialect.nats.check(Self.store(StoredPublish(messageID: id)), limit: SizeLimits())
            }
            #expect(error?.code == .invalidArgument)
        }
    }
}

extension NATSCoder {
    fileprivate mutating func hear(_ text: String) -> [Inbound] {
        decode(.binary(Array(text.utf8)), isCallback: Vectors.nobody)
    }
}
