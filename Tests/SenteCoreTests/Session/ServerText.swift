// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// What a server says in JSON.
enum ServerText {
    static func published(_ channel: String) -> String {
        #"{"type":"publish-result","channel-id":"\#(channel)","success":true,"message-id":"m","delivered-to":1}"#
    }

    /// A delivery on channel a with this number.
    static func delivery(_ n: Int, _ text: String = "") -> String {
        #"{"type":"channel-message","channel-id":"a","data":{"n":\#(n),"t":"\#(text)"},"broadcast-time":1,"#
            + #""message-id":"m\#(n)"}"#
    }
}

extension TestSession {
    mutating func confirm(text channel: String) {
        receive(#"{"type":"subscription-result","channel-id":"\#(channel)","success":true}"#)
    }

    /// The numbers of the deliveries that an inbox has.
    mutating func numbers(_ inbox: InboxID) -> [Int64?] {
        consume(inbox).map {
            if case .message(let message) = $0 { message.data["n"]?.integerValue } else { nil }
        }
    }

    /// What sort of messages the client said.
    func sentTypes() throws -> [String] {
        try sentText.map { try WireFormat.json.decode(Array($0.utf8))["type"]?.stringValue ?? "" }
    }
}
