// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What of flow is offered and agreed on for one link; it dies with the link.
///
/// It is a word where it is held: whether there is one is asked at every step, and to copy it for that would cost those who
/// have none.
struct LinkFlow: Sendable {
    private struct Terms: Sendable {
        var offered: FlowFeatures
        var callback: String
        var deadline: Instant?
        var features: FlowFeatures?
    }

    /// One, in an array for its copying on write.
    private var terms: [Terms]

    /// The server may answer what is offered until then.
    init(offered: FlowFeatures, callback: String, until deadline: Instant) {
        terms = [Terms(offered: offered, callback: callback, deadline: deadline)]
    }

    var offered: FlowFeatures { terms[0].offered }

    /// By what the server's words are known on Sente, where they are replies to the handshake.
    var callback: String { terms[0].callback }

    /// Until when the server may answer the handshake; nil once it has, or did not.
    var deadline: Instant? {
        get { terms[0].deadline }
        set { terms[0].deadline = newValue }
    }

    /// Nil until the server's word, and where it comes too late.
    var features: FlowFeatures? {
        get { terms[0].features }
        set { terms[0].features = newValue }
    }
}
