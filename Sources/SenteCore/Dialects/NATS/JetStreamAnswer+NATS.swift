// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension JetStreamAnswer {
    /// How many bytes of JSON are read: a stream of many subjects has many lines.
    private static let limits = WireLimits(maximumBytes: 1 << 20)
    /// How many names and subjects are kept.
    private static let maximumNames = 1_024

    /// Reads what came in answer to a question.
    init(_ payload: [UInt8], _ head: NATSHead) {
        guard head.status == nil else {
            self = head.status == 503 ? .unavailable : .unreadable("the status \(head.status ?? 0)")
            return
        }
        guard let answer = try? WireFormat.json.decode(payload, limits: Self.limits), answer.mapValue != nil
        else {
            self = .unreadable("no JSON object")
            return
        }
        if let error = answer["error"], error.mapValue != nil {
            let text = (error["description"]?.stringValue ?? "no reason given").excerpt(200)
            self = .failed(
                code: error["code"]?.integerValue ?? 0, number: error["err_code"]?.integerValue ?? 0, text)
            return
        }
        let type = answer["type"]?.stringValue ?? ""
        self =
            switch type {
            case "io.nats.jetstream.api.v1.stream_names_response": Self.names(in: answer)
            case "io.nats.jetstream.api.v1.consumer_create_response": Self.consumer(in: answer)
            case "io.nats.jetstream.api.v1.stream_info_response": Self.info(in: answer)
            default: .unreadable("the type “\(type.excerpt())”")
            }
    }

    private static func names(in answer: Value) -> JetStreamAnswer {
        let names = (answer["streams"]?.arrayValue ?? []).prefix(maximumNames).map(\.stringValue)
        // They become parts of subjects.
        guard names.allSatisfy({ $0.map(ChannelCursor.isStream) ?? false }) else {
            return .unreadable("a name that no stream has")
        }
        return .names(names.compactMap(\.self))
    }

    private static func consumer(in answer: Value) -> JetStreamAnswer {
        guard let delivered = answer["delivered"]?["stream_seq"]?.sequence,
            let pending = answer["num_pending"]?.sequence
        else { return .unreadable("a consumer without a place") }
        return .consumer(delivered: delivered, pending: pending)
    }

    private static func info(in answer: Value) -> JetStreamAnswer {
        guard let created = answer["created"]?.stringValue, ChannelCursor.isTime(created),
            let last = answer["state"]?["last_seq"]?.sequence
        else { return .unreadable("a stream without its time or its last sequence") }
        let subjects = (answer["config"]?["subjects"]?.arrayValue ?? []).prefix(maximumNames)
        return .info(
            StreamInfo(created: created, last: last, subjects: subjects.compactMap(\.stringValue)))
    }
}

extension Value {
    /// A sequence of a stream, which has room for one more behind it.
    fileprivate var sequence: UInt64? {
        guard let number = integerValue, (0..<Int64.max).contains(number) else { return nil }
        return UInt64(number)
    }
}

extension ChannelCursor {
    private static let maximumName = 255
    private static let maximumTime = 64

    /// Whether it may stand in a subject as a stream's name.
    static func isStream(_ name: String) -> Bool {
        (1...maximumName).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !".*>/\\".utf8.contains($0) }
    }

    static func isTime(_ text: String) -> Bool { (1...maximumTime).contains(text.utf8.count) }

    /// Why it cannot be one, if so.
    package var problem: String? {
        guard Self.isStream(stream) else {
            return "its `stream` “\(stream.excerpt())” is no name of a stream"
        }
        guard Self.isTime(created) else {
            return "its `created` has \(created.utf8.count) bytes, and 1 to 64 are a time"
        }
        return sequence < UInt64(Int64.max) ? nil : "its `sequence` is \(sequence), which no stream has"
    }
}
