// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteLite
import Testing

@Suite("What to wait for, in words")
struct ConnectionNoticeTests {
    private static let start = Instant(nanoseconds: 0)

    private func status(_ state: ConnectionState, attempt: Int = 1, retryIn: Duration? = nil)
        -> ConnectionStatus
    {
        var status = ConnectionStatus(state: state)
        status.attempt = attempt
        status.retryAt = retryIn.map { Self.start.advanced(by: $0) }
        return status
    }

    @Test("It counts begun seconds down, and says how long each of them holds")
    func countdown() throws {
        let notice = try #require(
            ConnectionNotice(status(.reconnecting, attempt: 4, retryIn: .milliseconds(2_300))))
        var now = Self.start
        var said: [String] = []
        while let wait = notice.lasts(from: now) {
            said.append(notice.text(at: now))
            #expect(wait > .zero)
            now = now.advanced(by: wait)
        }
        said.append(notice.text(at: now))
        #expect(
            said == [
                "retrying in 3 s (attempt 4)", "retrying in 2 s (attempt 4)", "retrying in 1 s (attempt 4)",
                "retrying now",
            ])
        #expect(Self.start.duration(to: now) == .milliseconds(2_300))
    }

    @Test("An attempt is a sentence that holds until it is over")
    func connecting() throws {
        let first = try #require(ConnectionNotice(status(.connecting)))
        #expect(first.text(at: Self.start) == "connecting …")
        #expect(first.lasts(from: Self.start) == nil)
        let second = try #require(ConnectionNotice(status(.connecting, attempt: 2)))
        #expect(second.text(at: Self.start) == "connecting, attempt 2 …")
    }

    @Test(
        "Elsewhere there is nothing to wait for",
        arguments: [.closed, .open, .closing, .failed] as [ConnectionState])
    func none(state: ConnectionState) {
        #expect(ConnectionNotice(status(state)) == nil)
    }
}
