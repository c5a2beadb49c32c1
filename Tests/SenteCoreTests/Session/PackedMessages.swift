// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

extension Outbound {
    /// A publication of a map with one number, text or whatever it is.
    static func publishing(_ channel: String, _ data: Value) -> Outbound {
        .publish(channel: channel, data: ["n": data], excludeSender: false)
    }
}

extension Value {
    /// A text of so many bytes that no run makes shorter.
    static func withoutRuns(_ count: Int) -> Value {
        .string(String(decoding: (0..<count).map { UInt8(97 + $0 % 7) }, as: UTF8.self))
    }
}

extension [Message] {
    /// What the server makes of what was sent: each message with its type, those in parts as one.
    func unpacked() throws -> [Value] {
        var reassembly = Reassembly(limits: .init(messageBytes: 10_000_000))
        let unfolding = Unfolding(format: .json, limit: 10_000_000) { _ in .runs }
        let now = Instant(nanoseconds: 0)
        return try flatMap { message throws -> [Value] in
            var arrival: Reassembly.Arrival?
            if message.kind == .binary {
                switch try Envelope.read(binary: message.bytes) {
                case .compressed(let algorithm, let bytes)?:
                    arrival = .whole(Assembled(bytes: bytes, algorithm: algorithm))
                case .part(let part)?: arrival = try reassembly.add(part, isBinary: true, at: now)
                default: Issue.record("No envelope.")
                }
            } else {
                let value = try WireFormat.json.decode(message.bytes)
                let type = value["type"]?.stringValue ?? ""
                let word = FlowWord(rawValue: String(type.dropFirst(5)))
                guard type.hasPrefix("flow-"), let word,
                    let envelope = try Envelope.read(word: word, fields: value.mapValue ?? [:])
                else { return [value] }
                switch envelope {
                case .compressed(let algorithm, let bytes):
                    arrival = .whole(Assembled(bytes: bytes, algorithm: algorithm))
                case .start(let start): arrival = try reassembly.start(start, at: now)
                case .part(let part): arrival = try reassembly.add(part, isBinary: false, at: now)
                case .end(let number): arrival = try reassembly.end(number, at: now)
                case .abort(let number): reassembly.abort(number)
                }
            }
            guard case .whole(let assembled)? = arrival else { return [] }
            return [try WireFormat.json.decode(unfolding.message(of: assembled).bytes)]
        }
    }
}

extension [Value] {
    /// The channels of messages, or the types of those that have none.
    var channels: [String] {
        map { $0["channel-id"]?.stringValue ?? $0["type"]?.stringValue ?? "" }
    }
}

extension TestSession {
    /// Submissions that a driver hands over in one turn, and their calls.
    mutating func submissions(_ outbounds: [Outbound]) -> [(CallID, Input)] {
        outbounds.map { outbound in
            let call = newCall()
            return (call, .command(.submit(call, Submission(outbound, limit: .seconds(10), awaits: .reply))))
        }
    }
}
