// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What is said to streams, and where their answers come.
extension NATSCoder {
    mutating func write(
        _ word: JetStreamOutbound, _ fields: NamedValues, to bytes: inout [UInt8]
    ) throws(SenteError) {
        switch word {
        case .store(let channel, let data, let stored, let token):
            var fields = fields
            fields[NATSHeader.messageID] = stored.messageID
            fields[NATSHeader.expectedSequence] = stored.expectedLastSequence.map(String.init)
            fields[NATSHeader.expectedSubjectSequence] = stored.expectedLastChannelSequence.map(String.init)
            var operation: [UInt8] = []
            try publish(data, to: channel, reply: storedInbox + String(token), fields, &operation)
            try openInbox(&bytes)
            bytes += operation
            try fence(.store(channel: channel, token: token), &bytes)
        }
    }

    /// What came in the inbox, if it answers one of these.
    func streamAnswer(_ message: NATSMessage, _ head: NATSHead) -> JetStreamInbound? {
        guard message.subject.utf8.starts(with: storedInbox.utf8),
            let token = UInt64(Substring(message.subject.utf8.dropFirst(storedInbox.utf8.count)))
        else { return nil }
        return .stored(token: token, StoredAnswer(message.payload, head))
    }

    /// Requests are numbered without a letter.
    private var storedInbox: String { "\(inbox).s" }
}
