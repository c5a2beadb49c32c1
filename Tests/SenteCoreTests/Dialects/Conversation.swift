// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// A recorded conversation played again: our dialect says what the client said, and hears what the server said.
struct Conversation {
    /// A frame of the client.
    enum Said {
        /// The word whose frame was recorded.
        case word(Outbound)
        /// A probe that nobody should send: the nearest call is refused, for this reason.
        case probe(Outbound, naming: String)

        /// An event in EDN, with the callback id recorded.
        static func event(_ text: String, _ callback: String? = nil) -> Said {
            guard let event = try? Vectors.edn(text), let id = event[0]?.keywordValue else {
                return .probe(.event(Event(id: "unreadable")), naming: text)
            }
            return .word(.event(Event(id: id, data: event[1] ?? .null), callback: callback))
        }
    }

    /// A frame of the server.
    enum Heard {
        /// Who the handshake says we are.
        case greeting(Identity)
        /// The answer to the event with this callback id; its value is the frame's.
        case reply(String)
        /// These events, in one frame; their data is the frame's.
        case events([Keyword])
        /// Exactly this.
        case inbound([Inbound])
        /// Dropped, with a reason that holds this text.
        case dropped(String)
    }

    let dialect: Dialect
    let format: WireFormat
    var compressor: Compressor?
    /// Callback ids of ours that nobody has answered yet.
    private var waiting: Set<String> = []
    private var coders: [String: any DialectCoder] = [:]

    init(_ dialect: Dialect, _ format: WireFormat, compressor: Compressor? = nil) {
        self.dialect = dialect
        self.format = format
        self.compressor = compressor
    }

    /// Plays all of a recording; every frame of both sides has its line.
    mutating func play(_ entries: [Transcript.Entry], said: [Said], heard: [Heard]) throws {
        var said = said[...]
        var heard = heard[...]
        for entry in entries {
            switch (entry.direction, entry.opcode) {
            case ("c2s", "http-upgrade"): coders[entry.connection] = nil
            case ("c2s", "text"), ("c2s", "binary"):
                let next = said.popFirst()
                try say(try #require(next, "\(entry.message.string)"), entry)
            case ("s2c", "text"), ("s2c", "binary"):
                let next = heard.popFirst()
                try hear(try #require(next, "\(entry.message.string)"), entry)
            default: break
            }
        }
        #expect(said.isEmpty && heard.isEmpty)
    }

    private mutating func say(_ said: Said, _ entry: Transcript.Entry) throws {
        switch said {
        case .word(let outbound):
            try dialect.check(outbound, limit: SizeLimits())
            var coder = try #require(coders[entry.connection])
            let message = try coder.encode(outbound, at: Vectors.now)
            #expect(message.kind == entry.message.kind)
            let theirs = try format.decode(entry.message.bytes)
            #expect(try format.decode(message.bytes) == theirs, "\(entry.message.string)")
            if case .event(_, let callback?) = outbound { waiting.insert(callback) }
        case .probe(let outbound, let naming):
            let error = #expect(throws: SenteError.self, "\(entry.message.string) \(entry.note)") {
                try dialect.check(outbound, limit: SizeLimits())
            }
            #expect(error?.code == .invalidArgument && error?.outcome == .notSent)
            #expect(
                error?.message.contains(naming) == true, "\(entry.message.string): \(error?.message ?? "")")
        }
    }

    private mutating func hear(_ heard: Heard, _ entry: Transcript.Entry) throws {
        var coder: any DialectCoder
        if let known = coders[entry.connection] {
            coder = known
        } else {
            coder = try DialectDetector(compressor: compressor).detect(entry.message)
            #expect(coder.dialect == dialect && coder.format == format)
        }
        let waiting = waiting
        let inbound = coder.decode(entry.message, isCallback: waiting.contains)
        coders[entry.connection] = coder
        let value = try format.decode(entry.message.bytes)
        let text = Comment(rawValue: entry.message.string.prefix(200).description)
        switch heard {
        case .greeting(let identity): #expect(inbound == [.greeting(identity)], text)
        case .inbound(let expected): #expect(inbound == expected, text)
        case .dropped(let reason):
            #expect(inbound.count == 1 && inbound.first?.complaint?.contains(reason) == true, text)
        case .reply(let callback):
            #expect(inbound == [.reply(.id(.event, WireName(callback)), .answered(value[0] ?? .null))], text)
            self.waiting.remove(callback)
        case .events(let ids):
            let events: [Value] = value[0]?.keywordValue != nil ? [value] : value[0]?.arrayValue ?? []
            try #require(events.count == ids.count, text)
            let expected = zip(ids, events).map { Inbound.event(Event(id: $0, data: $1[1] ?? .null)) }
            #expect(inbound.map(\.event) == expected, text)
        }
    }
}

extension Inbound {
    /// Itself, but for what may also answer one of ours.
    fileprivate var event: Inbound { if case .answering(_, let event) = self { .event(event) } else { self } }
}
