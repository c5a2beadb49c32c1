// SPDX-License-Identifier: Apache-2.0

/// What every input does in every state: the state afterwards and the effects in order, but for what is recorded, and
/// the inputs that have this outcome.
extension SessionTableTests {
    static let tables: [Start: [(outcome: String, inputs: String)]] = [
        .closed: closed, .asking: asking, .dialing: dialing, .greeting: greeting, .open: open,
        .closing: closing, .waiting: waiting, .deciding: deciding, .failed: failed,
    ]

    private static let closed: [(outcome: String, inputs: String)] = [
        (
            "connecting tell dial",
            "connect, reconnect"
        ),
        (
            "closed done",
            "disconnect"
        ),
        (
            "closed wish done",
            "subscribe"
        ),
        (
            "closed wish finish done",
            "unsubscribe"
        ),
        (
            "closed",
            """
            openInbox, listen, unlisten, answer, settle, cancel a publish, \
            cancel a wait, opened, greeting, delivery, reply, request, ping received, \
            pong received, event, server error, noise, undecodable, mismatched, \
            progressed, wrote, refused 404, refused 401, refused 503, closed, \
            failed, endpoint, token, parameters, delay, no delay, provider failed, consumed, \
            path available, path lost, timerFired early, timerFired
            """
        ),
        (
            "closed finish wish",
            "endScope"
        ),
        (
            "closed finish",
            "closeInbox"
        ),
        (
            "closed error",
            "submit, ping"
        ),
        (
            "closed wish",
            "respond"
        ),
    ]

    private static let asking: [(outcome: String, inputs: String)] = [
        (
            "connecting",
            """
            connect, reconnect, openInbox, listen, unlisten, answer, submit, \
            settle, opened, greeting, delivery, reply, request, ping received, \
            pong received, event, server error, noise, undecodable, mismatched, \
            progressed, wrote, refused 404, refused 401, refused 503, closed, \
            failed, delay, no delay, consumed, path available, path lost, timerFired early
            """
        ),
        (
            "closed unask tell error error error done",
            "disconnect"
        ),
        (
            "connecting wish done",
            "subscribe"
        ),
        (
            "connecting wish finish done",
            "unsubscribe"
        ),
        (
            "connecting finish wish",
            "endScope"
        ),
        (
            "connecting finish",
            "closeInbox"
        ),
        (
            "connecting error",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "connecting dial",
            "endpoint, token, parameters, parameters"
        ),
        (
            "reconnecting tell",
            "provider failed"
        ),
        (
            "reconnecting unask tell",
            "timerFired"
        ),
        (
            "connecting wish",
            "respond"
        ),
    ]

    private static let dialing: [(outcome: String, inputs: String)] = [
        (
            "connecting",
            """
            connect, reconnect, openInbox, listen, unlisten, answer, submit, \
            settle, opened, delivery, reply, request, ping received, pong received, \
            event, server error, noise, undecodable, progressed, wrote, \
            endpoint, token, parameters, delay, no delay, provider failed, consumed, path available, path lost, \
            timerFired early
            """
        ),
        (
            "closed abandon tell error error error done",
            "disconnect"
        ),
        (
            "connecting wish done",
            "subscribe"
        ),
        (
            "connecting wish finish done",
            "unsubscribe"
        ),
        (
            "connecting finish wish",
            "endScope"
        ),
        (
            "connecting finish",
            "closeInbox"
        ),
        (
            "connecting error",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "open send×3 tell done send×2",
            "greeting"
        ),
        (
            "failed close tell error error error",
            "mismatched"
        ),
        (
            "failed tell error error error",
            "refused 404, refused 401, failed"
        ),
        (
            "reconnecting tell",
            "refused 503, closed"
        ),
        (
            "reconnecting abandon tell",
            "timerFired"
        ),
        (
            "connecting wish",
            "respond"
        ),
    ]

    private static let greeting: [(outcome: String, inputs: String)] = [
        (
            "connecting",
            """
            connect, reconnect, openInbox, listen, unlisten, answer, submit, \
            settle, opened, delivery, reply, request, ping received, pong received, \
            event, server error, noise, undecodable, progressed, wrote, \
            endpoint, token, parameters, delay, no delay, provider failed, consumed, path available, path lost, \
            timerFired early
            """
        ),
        (
            "closing close tell error error error",
            "disconnect"
        ),
        (
            "connecting wish done",
            "subscribe"
        ),
        (
            "connecting wish finish done",
            "unsubscribe"
        ),
        (
            "connecting finish wish",
            "endScope"
        ),
        (
            "connecting finish",
            "closeInbox"
        ),
        (
            "connecting error",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "open send×3 tell done send×2",
            "greeting"
        ),
        (
            "failed close tell error error error",
            "mismatched"
        ),
        (
            "failed tell error error error",
            "refused 404, refused 401, failed"
        ),
        (
            "reconnecting tell",
            "refused 503, closed"
        ),
        (
            "reconnecting abandon tell",
            "timerFired"
        ),
        (
            "connecting wish",
            "respond"
        ),
    ]

    private static let open: [(outcome: String, inputs: String)] = [
        (
            "open done",
            "connect, settle, reply"
        ),
        (
            "closing close tell wish wish wish error error",
            "disconnect"
        ),
        (
            "connecting close tell wish wish wish error error tell dial",
            "reconnect"
        ),
        (
            "open send",
            """
            answer, submit, ping, ping received, path available, path lost, \
            timerFired
            """
        ),
        (
            "open wish finish send",
            "unsubscribe"
        ),
        (
            "open finish wish send",
            "endScope"
        ),
        (
            "open",
            """
            openInbox, listen, unlisten, cancel a wait, opened, pong received, noise, \
            undecodable, mismatched, progressed, wrote, refused 404, refused 401, \
            refused 503, endpoint, token, parameters, delay, no delay, provider failed, consumed, \
            timerFired early
            """
        ),
        (
            "open finish",
            "closeInbox"
        ),
        (
            "open send error",
            "cancel a publish"
        ),
        (
            "open tell",
            "greeting"
        ),
        (
            "open ready",
            "delivery, request, event, server error"
        ),
        (
            "reconnecting tell wish wish wish error error",
            "closed, failed"
        ),
        (
            "open wish send",
            "subscribe, respond"
        ),
    ]

    private static let closing: [(outcome: String, inputs: String)] = [
        (
            "closing",
            """
            connect, disconnect, reconnect, openInbox, listen, unlisten, answer, \
            settle, cancel a publish, cancel a wait, opened, greeting, delivery, reply, \
            request, ping received, pong received, event, server error, noise, \
            undecodable, mismatched, progressed, wrote, refused 404, \
            refused 401, refused 503, endpoint, token, parameters, delay, no delay, provider failed, \
            consumed, path available, path lost, timerFired early
            """
        ),
        (
            "closing wish done",
            "subscribe"
        ),
        (
            "closing wish finish done",
            "unsubscribe"
        ),
        (
            "closing finish wish",
            "endScope"
        ),
        (
            "closing finish",
            "closeInbox"
        ),
        (
            "closing error",
            "submit, ping"
        ),
        (
            "closed tell done",
            "closed, failed"
        ),
        (
            "closed abandon tell done",
            "timerFired"
        ),
        (
            "closing wish",
            "respond"
        ),
    ]

    private static let waiting: [(outcome: String, inputs: String)] = [
        (
            "reconnecting",
            """
            connect, openInbox, listen, unlisten, answer, submit, settle, \
            opened, greeting, delivery, reply, request, ping received, pong received, \
            event, server error, noise, undecodable, mismatched, progressed, wrote, \
            refused 404, refused 401, refused 503, closed, failed, endpoint, \
            token, parameters, delay, no delay, provider failed, consumed, path lost, timerFired early
            """
        ),
        (
            "closed tell error error error done",
            "disconnect"
        ),
        (
            "connecting tell dial",
            "reconnect, path available, timerFired"
        ),
        (
            "reconnecting wish done",
            "subscribe"
        ),
        (
            "reconnecting wish finish done",
            "unsubscribe"
        ),
        (
            "reconnecting finish wish",
            "endScope"
        ),
        (
            "reconnecting finish",
            "closeInbox"
        ),
        (
            "reconnecting error",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "reconnecting wish",
            "respond"
        ),
    ]

    private static let deciding: [(outcome: String, inputs: String)] = [
        (
            "reconnecting",
            """
            connect, openInbox, listen, unlisten, answer, submit, settle, \
            opened, greeting, delivery, reply, request, ping received, pong received, \
            event, server error, noise, undecodable, mismatched, progressed, wrote, \
            refused 404, refused 401, refused 503, closed, failed, endpoint, \
            token, parameters, consumed, path lost, timerFired early
            """
        ),
        (
            "closed unask tell error error error done",
            "disconnect"
        ),
        (
            "connecting unask tell dial",
            "reconnect, path available"
        ),
        (
            "reconnecting wish done",
            "subscribe"
        ),
        (
            "reconnecting wish finish done",
            "unsubscribe"
        ),
        (
            "reconnecting finish wish",
            "endScope"
        ),
        (
            "reconnecting finish",
            "closeInbox"
        ),
        (
            "reconnecting error",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "reconnecting tell",
            "delay"
        ),
        (
            "failed tell error error error",
            "no delay, provider failed"
        ),
        (
            "failed unask tell error error error",
            "timerFired"
        ),
        (
            "reconnecting wish",
            "respond"
        ),
    ]

    private static let failed: [(outcome: String, inputs: String)] = [
        (
            "connecting tell dial",
            "connect, reconnect"
        ),
        (
            "closed tell done",
            "disconnect"
        ),
        (
            "failed wish done",
            "subscribe"
        ),
        (
            "failed wish finish done",
            "unsubscribe"
        ),
        (
            "failed",
            """
            openInbox, listen, unlisten, answer, settle, cancel a publish, \
            cancel a wait, opened, greeting, delivery, reply, request, ping received, \
            pong received, event, server error, noise, undecodable, mismatched, \
            progressed, wrote, refused 404, refused 401, refused 503, closed, \
            failed, endpoint, token, parameters, delay, no delay, provider failed, consumed, \
            path available, path lost, timerFired early, timerFired
            """
        ),
        (
            "failed finish wish",
            "endScope"
        ),
        (
            "failed finish",
            "closeInbox"
        ),
        (
            "failed error",
            "submit, ping"
        ),
        (
            "failed wish",
            "respond"
        ),
    ]
}
