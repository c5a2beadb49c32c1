// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension [Inbound] {
    /// How much each counts of the message they came in, in bytes: all of it alone, else by weight.
    package func shares(of size: Int) -> [Int] { size.shared(by: map(\.weight)) }

    /// How much each counts where the pieces they came in say nothing of them, in bytes.
    package var weights: [Int] { map(\.weight) }
}

extension [ChannelMessage] {
    func shares(of size: Int) -> [Int] { size.shared(by: map(\.weight)) }
}

extension Inbound {
    /// What of it an inbox has to hold.
    fileprivate var weight: Int {
        switch self {
        case .delivery(let message): message.weight
        case .event(let event), .answering(_, let event), .failure(_, let event):
            32 + event.id.name.utf8.count + event.data.weight
        case .request(let request): 64 + request.channel.utf8.count + request.data.weight
        case .reply(_, .subscribed(let retained)): retained.reduce(0) { $0 + $1.weight }
        case .reply(_, .answered(let value)): value.weight
        case .jetStream(.delivery(_, let message, _)): message.weight
        case .jetStream: 0
        case .mistraced(let inbound): inbound.weight
        case .reply, .greeting, .challenge, .refused, .subscriptionLost, .ping, .pong, .pongAcknowledged,
            .flow, .endpoints, .leaving, .noise, .undecodable, .tooLarge, .violation:
            0
        }
    }
}

extension ChannelMessage {
    fileprivate var weight: Int { 64 + channel.utf8.count + data.weight }
}

extension Int {
    /// Splits it in the ratio of the weights, evenly if they are all 0; the parts make up no more than the whole.
    fileprivate func shared(by weights: [Int]) -> [Int] {
        guard weights.count > 1 else { return weights.map { _ in self } }
        let total = weights.reduce(0, +)
        guard total > 0 else { return weights.map { _ in self / weights.count } }
        return weights.map { Int(Double(self) * (Double($0) / Double(total))) }
    }
}
