// SPDX-License-Identifier: Apache-2.0

/// A question to the streams of NATS (`$JS.API`).
package enum JetStreamRequest: Hashable, Sendable {
    /// Which streams keep the channel?
    case names(channel: String)
    /// Hand over the channel's messages where `number` listens.
    case consumer(stream: String, channel: String, from: ConsumerStart, number: UInt64)
    /// What is the stream like?
    case info(stream: String)
}

/// Where in a stream a consumer begins.
package enum ConsumerStart: Hashable, Sendable {
    case new
    case sequence(UInt64)
    /// In milliseconds since 1970.
    case time(Int64)
    case lastOfEach
}

/// The answer to such a question.
package enum JetStreamAnswer: Hashable, Sendable {
    case names([String])
    /// The consumer stands: the stream's sequence right before its first message, and how many messages wait for it.
    case consumer(delivered: UInt64, pending: UInt64)
    case info(StreamInfo)
    /// The stream's no: HTTP's kind of code, and its own number.
    case failed(code: Int64, number: Int64, String)
    /// Nobody answers for now (503).
    case unavailable
    /// The server does not let this user ask.
    case refused(SenteError)
    /// No answer that anybody here understands.
    case unreadable(String)
}

/// What a stream says of itself.
package struct StreamInfo: Hashable, Sendable {
    /// As the server writes it; another time is another stream.
    package var created: String
    /// The sequence of its last message; 0 for none.
    package var last: UInt64
    package var subjects: [String]

    package init(created: String, last: UInt64, subjects: [String]) {
        self.created = created
        self.last = last
        self.subjects = subjects
    }
}
