// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteLite
import Testing

@Suite("What a change of the connection tells")
struct ConnectionNewsTests {
    private func status(_ state: ConnectionState, _ error: SenteError? = nil) -> ConnectionStatus {
        var status = ConnectionStatus(state: state)
        status.attempt = 1
        status.lastError = error
        return status
    }

    private func error(_ message: String) throws -> SenteError {
        // A client makes one of a wrong address; its words are ours.
        var error = try #require(throws: SenteError.self) { try SenteClient("http://x/") }
        error.message = message
        error.outcome = nil
        return error
    }

    @Test("A failed attempt is told once, and again when it fails for another reason")
    func unreachable() throws {
        let (refused, silent) = (try error("Nobody listens."), try error("Nobody answers."))
        #expect(
            ConnectionNews(from: status(.connecting), to: status(.reconnecting, refused))
                == .unreachable("Nobody listens."))
        #expect(ConnectionNews(from: status(.connecting, refused), to: status(.reconnecting, refused)) == nil)
        #expect(
            ConnectionNews(from: status(.connecting, refused), to: status(.reconnecting, silent))
                == .unreachable("Nobody answers."))
    }

    @Test("The first status that is seen may tell of a failure already")
    func beginning() throws {
        let refused = try error("Nobody listens.")
        #expect(
            ConnectionNews(from: nil, to: status(.reconnecting, refused)) == .unreachable("Nobody listens."))
        #expect(ConnectionNews(from: nil, to: status(.connecting)) == .connecting(attempt: 1))
        #expect(ConnectionNews(from: nil, to: status(.closed)) == nil)
    }

    @Test("A loss, an end and an opening are news; the same state is none")
    func others() throws {
        let lost = try error("The server\u{1B} went away.")
        #expect(
            ConnectionNews(from: status(.open), to: status(.reconnecting, lost))
                == .lost("The server· went away."))
        #expect(
            ConnectionNews(from: status(.connecting), to: status(.failed, lost))
                == .gaveUp("The server· went away."))
        #expect(ConnectionNews(from: status(.connecting), to: status(.open)) == .connected)
        #expect(ConnectionNews(from: status(.closing), to: status(.closed)) == .closed)
        #expect(ConnectionNews(from: status(.open), to: status(.open)) == nil)
    }
}
