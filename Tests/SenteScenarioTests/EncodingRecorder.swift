// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Notes what a client's dialect was asked to say, so that rules can judge by that and not by bytes.
final class EncodingRecorder: @unchecked Sendable {
    /// What was encoded, in order, and not taken yet.
    private var encoded: [Outbound] = []
    /// What could not be encoded, in order, and not taken yet.
    private var unencodable: [Outbound] = []

    /// Listens in on a dialect.
    func follow(_ coder: any DialectCoder) -> any DialectCoder {
        RecordedCoder(coder: coder, recorder: self)
    }

    /// What the last step wrote and what it could not, with the names of the messages.
    func take(_ effects: [Effect]) -> (encoded: [SendID: Outbound], unencodable: [Outbound]) {
        defer { (encoded, unencodable) = ([], []) }
        let ids = effects.flatMap { effect -> [SendID] in
            if case .transmit(_, let batch) = effect { batch.map(\.id) } else { [] }
        }
        return (
            Dictionary(zip(ids.sorted { $0.number < $1.number }, encoded)) { first, _ in first }, unencodable
        )
    }

    private struct RecordedCoder: DialectCoder {
        var coder: any DialectCoder
        let recorder: EncodingRecorder

        var dialect: Dialect { coder.dialect }
        var format: WireFormat { coder.format }
        var sizes: SizeLimits {
            get { coder.sizes }
            set { coder.sizes = newValue }
        }

        func value(of message: Message) throws(UnreadableError) -> Value { try coder.value(of: message) }

        func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] {
            coder.read(value, isCallback: isCallback)
        }

        func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value {
            try coder.spell(outbound, at: now)
        }

        mutating func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound] {
            coder.decode(message, isCallback: isCallback)
        }

        mutating func introduction(_ token: String?, name: String) throws(SenteError) -> Message? {
            try coder.introduction(token, name: name)
        }

        mutating func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
            do throws(SenteError) {
                let message = try coder.encode(outbound, at: now)
                recorder.encoded.append(outbound)
                return message
            } catch {
                recorder.unencodable.append(outbound)
                throw error
            }
        }
    }
}
