// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension StoredAnswer {
    /// How many bytes of JSON are read; an acknowledgement has some fifty.
    private static let limits = WireLimits(maximumBytes: 65_536)
    private static let maximumName = 255

    /// Reads what came where the acknowledgement of a stream was awaited.
    init(_ payload: [UInt8], _ head: NATSHead) {
        switch head.status {
        case nil: self.init(payload)
        // No stream listens on the subject, or none that has a leader (ADR-22).
        case 503?:
            self = .unavailable(
                "No stream keeps this channel, or the one that does is electing its leader (503).")
        case let status?: self = .unavailable("It was answered with the status \(status).")
        }
    }

    private init(_ payload: [UInt8]) {
        guard let answer = try? WireFormat.json.decode(payload, limits: Self.limits), answer.mapValue != nil
        else {
            self = .refused(Self.strange("is no JSON object"))
            return
        }
        if let error = answer["error"], error.mapValue != nil {
            self = Self.failed(error)
            return
        }
        guard let stream = answer["stream"]?.stringValue, (1...Self.maximumName).contains(stream.utf8.count),
            let sequence = answer["seq"]?.integerValue, sequence > 0
        else {
            self = .refused(Self.strange("names no stream and sequence"))
            return
        }
        self = .kept(
            PublishReceipt(
                messageID: "\(stream):\(sequence)", acknowledgement: .stored,
                isDuplicate: answer["duplicate"]?.boolValue ?? false))
    }

    /// The stream's own no; 10071, 10070 and 10060 say that what was expected of it does not hold.
    private static func failed(_ error: Value) -> StoredAnswer {
        let text = (error["description"]?.stringValue ?? "no reason given").excerpt(200)
        if error["code"]?.integerValue == 503 { return .unavailable("The stream is unavailable: \(text).") }
        let number = error["err_code"]?.integerValue.map { " (error \($0))" } ?? ""
        return .refused(
            SenteError(
                .rejected, "The stream refused the message: \(text)\(number).", outcome: .acknowledged,
                details: error))
    }

    private static func strange(_ what: String) -> SenteError {
        SenteError(
            .undecodable,
            "What answered \(what), so it is no stream: see who else serves this channel, or publish without `stored`.",
            outcome: .unknown)
    }
}
