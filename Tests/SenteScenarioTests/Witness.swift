// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Notes what a client's dialect was asked to say, so that rules can judge by that and not by bytes.
final class Witness: @unchecked Sendable {
    /// What was said, in order, and not taken yet.
    private var said: [Outbound] = []
    /// What could not be said, in order, and not taken yet.
    private var unsaid: [Outbound] = []

    /// Listens in on a dialect.
    func follow(_ coder: any DialectCoder) -> any DialectCoder {
        WitnessedCoder(coder: coder, witness: self)
    }

    /// What the last step wrote and what it could not, with the names of the messages.
    func take(_ effects: [Effect]) -> (said: [SendID: Outbound], unsaid: [Outbound]) {
        defer { (said, unsaid) = ([], []) }
        let ids = effects.flatMap { effect -> [SendID] in
            if case .transmit(_, let batch) = effect { batch.map(\.id) } else { [] }
        }
        return (Dictionary(zip(ids.sorted { $0.number < $1.number }, said)) { first, _ in first }, unsaid)
    }

    private struct WitnessedCoder: DialectCoder {
        let coder: any DialectCoder
        let witness: Witness

        var dialect: Dialect { coder.dialect }
        var format: WireFormat { coder.format }

        func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound] {
            coder.decode(message, isCallback: isCallback)
        }

        func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
            do throws(SenteError) {
                let message = try coder.encode(outbound, at: now)
                witness.said.append(outbound)
                return message
            } catch {
                witness.unsaid.append(outbound)
                throw error
            }
        }
    }
}
