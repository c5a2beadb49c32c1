// SPDX-License-Identifier: Apache-2.0

/// Why a WebSocket was closed (RFC 6455 §7.4).
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire, or one of the three that only ever stand for the lack of one.
    public let rawValue: UInt16

    /// Makes a code of a number.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the purpose of the connection is fulfilled.
    public static let normal = CloseCode(rawValue: 1000)
    /// 1001: the peer goes away, as a server that stops does.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// 1002: the peer broke the protocol.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// 1003: the peer sent a kind of data that is not accepted.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// 1005: the close frame carried no code.
    ///
    /// Never on the wire.
    public static let noStatus = CloseCode(rawValue: 1005)
    /// 1006: the connection ended without a close frame.
    ///
    /// Never on the wire.
    public static let abnormal = CloseCode(rawValue: 1006)
    /// 1007: a text message was not UTF-8.
    public static let invalidData = CloseCode(rawValue: 1007)
    /// 1008: the message breaks a policy of the peer.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// 1009: a message was too big.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// 1010: the server did not agree to an extension the client needs.
    public static let missingExtension = CloseCode(rawValue: 1010)
    /// 1011: the peer failed inside.
    public static let internalError = CloseCode(rawValue: 1011)
    /// 1012: the server restarts.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// 1013: try again later.
    public static let tryAgainLater = CloseCode(rawValue: 1013)
    /// 1014: a gateway got a bad answer.
    public static let badGateway = CloseCode(rawValue: 1014)
    /// 1015: TLS failed.
    ///
    /// Never on the wire.
    public static let tlsFailed = CloseCode(rawValue: 1015)

    /// Whether the code may stand in a close frame: 1000–1003, 1007–1014 (IANA's registry) and 3000–4999.
    public var isAllowedOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The number.
    public var description: String { String(rawValue) }
}
