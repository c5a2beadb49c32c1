// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// A server that is one of several: the others, and its going.
extension Session {
    /// The server named where its cluster takes clients.
    mutating func learned(_ places: [String]) {
        guard configuration.learnsEndpoints, !configuration.asksEndpoint,
            let url = endpoints.currentURL ?? configuration.endpoints.first
        else { return }
        endpoints.learn(places.compactMap { EndpointList.url(of: $0, like: url) })
    }

    /// The server is about to close its connections: this one goes before, in good order.
    ///
    /// After a random part of 5 s, so that not all of its clients come to another node at once.
    mutating func serverLeaves(_ link: LinkID) {
        guard case .open(var open) = state, open.link == link, open.departure == nil else { return }
        let delay = Duration.milliseconds(Int64.random(in: 0..<5_000, using: &random))
        open.departure = Departure(at: now.instant.advanced(by: delay))
        state = .open(open)
    }

    /// Nothing more is said; what was said is answered before the pong of a last ping.
    mutating func depart(_ open: Open) {
        guard open.departure?.stamp == nil else { return goElsewhere(from: open) }
        var open = open
        traffic.window.close()
        let stamp = sendFence(on: open.link)
        open.departure = Departure(at: now.instant.advanced(by: Self.departureLimit), stamp: stamp)
        state = .open(open)
    }

    /// How long the answer to the last ping may take.
    private static let departureLimit: Duration = .seconds(5)

    /// A pong came: if it answers the last ping, the link goes.
    mutating func ponged(whileLeaving stamp: Int64?) {
        guard let stamp, case .open(let open) = state, open.departure?.stamp == stamp else { return }
        goElsewhere(from: open)
    }

    private mutating func goElsewhere(from open: Open) {
        endpoints.leave(until: now.instant.advanced(by: Self.absence))
        replace(open, SenteError(.connectionLost, "The server is about to stop; the client went to another."))
    }

    /// How long a server that said it would stop is taken to be gone.
    private static let absence: Duration = .seconds(30)

    /// An open link makes room for another at once.
    mutating func replace(_ open: Open, _ error: SenteError) {
        closeLink(open.link)
        if !holds(Leave(error: error, isReplaced: true)) { replaced(open, error) }
    }

    mutating func replaced(_ open: Open, _ error: SenteError) {
        noteEnd(of: open)
        status.lastError = error
        effects.append(.record(.linkEnded(nil)))
        move(to: .reconnecting(Waiting(until: now.instant)))
        endLink(error)
        startAttempt()
    }
}
