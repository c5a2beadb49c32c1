// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// Speaks the fuzzing server's protocol: ask how many cases there are, run each, have the report written.
struct FuzzedClient {
    let url: String
    let agent: String
    let compression: CompressionPolicy?

    /// Returns how many cases were run.
    ///
    /// Throws when the fuzzing server itself cannot be reached.
    func run() async throws(LinkFailure) -> Int {
        let loop = try EventLoop.shared()
        let counted = await exchange(on: loop, "/getCaseCount", echoes: false)
        guard let text = counted.last?.string, let count = Int(text) else {
            throw LinkFailure(.unreachable, "No fuzzing server at \(url) said how many cases there are.")
        }
        for number in stride(from: 1, through: count, by: 1) {
            _ = await exchange(on: loop, "/runCase?case=\(number)&agent=\(escapedAgent)", echoes: true)
        }
        _ = await exchange(on: loop, "/updateReports?agent=\(escapedAgent)", echoes: false)
        return count
    }

    /// One connection, to its end, which may well be a failure: many cases want one.
    ///
    /// Returns what came.
    private func exchange(on loop: EventLoop, _ path: String, echoes: Bool) async -> [Message] {
        return await withCheckedContinuation { ended in
            loop.post {
                let connection = FuzzedConnection(echoes: echoes) { ended.resume(returning: $0) }
                let request = LinkRequest(
                    url: url + path, compression: compression, messageLimits: messageLimits,
                    openDeadline: loop.now.instant.advanced(by: .seconds(10)))
                connection.link = SocketTransport().open(
                    LinkID(1), request, on: loop, observer: connection)
            }
        }
    }

    private var escapedAgent: String {
        agent.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}

/// One connection to the fuzzing server.
///
/// On the loop only.
private final class FuzzedConnection: LinkObserver, @unchecked Sendable {
    var link: (any TransportLink)?
    private let echoes: Bool
    private let ended: ([Message]) -> Void
    private var received: [Message] = []
    private var sent: UInt64 = 0

    init(echoes: Bool, ended: @escaping ([Message]) -> Void) {
        self.echoes = echoes
        self.ended = ended
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        for report in reports {
            switch report {
            case .received(let messages) where echoes:
                link?.send(
                    messages.map { message in
                        sent += 1
                        return Transmission(SendID(sent), message)
                    })
            case .received(let messages): received += messages
            case .refused, .closed:
                link = nil
                ended(received)
            case .opened, .progress, .wrote, .answered: break
            }
        }
    }
}
