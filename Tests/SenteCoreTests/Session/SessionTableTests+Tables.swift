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
            "connecting publish openLink",
            "connect, reconnect"
        ),
        (
            "closed resolve(success)",
            "disconnect, drainAll"
        ),
        (
            "closed subscription resolve(success)",
            "subscribe"
        ),
        (
            "closed subscription finish resolve(success)",
            "unsubscribe, drain"
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
            "closed finish subscription",
            "endScope"
        ),
        (
            "closed finish",
            "closeInbox"
        ),
        (
            "closed resolve(failure)",
            "submit, ping"
        ),
        (
            "closed subscription",
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
            "closed cancelAsk publish resolve(failure) resolve(failure) resolve(failure) resolve(success)",
            "disconnect"
        ),
        (
            "connecting subscription resolve(success)",
            "subscribe"
        ),
        (
            "connecting subscription finish resolve(success)",
            "unsubscribe, drain"
        ),
        (
            "connecting finish subscription",
            "endScope"
        ),
        (
            "connecting finish",
            "closeInbox"
        ),
        (
            "connecting resolve(failure)",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "connecting openLink",
            "endpoint, token, parameters, parameters"
        ),
        (
            "reconnecting publish",
            "provider failed"
        ),
        (
            "reconnecting cancelAsk publish",
            "timerFired"
        ),
        (
            "connecting subscription",
            "respond"
        ),
        (
            "connecting resolve(success)",
            "drainAll"
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
            "closed abandonLink publish resolve(failure) resolve(failure) resolve(failure) resolve(success)",
            "disconnect"
        ),
        (
            "connecting subscription resolve(success)",
            "subscribe"
        ),
        (
            "connecting subscription finish resolve(success)",
            "unsubscribe, drain"
        ),
        (
            "connecting finish subscription",
            "endScope"
        ),
        (
            "connecting finish",
            "closeInbox"
        ),
        (
            "connecting resolve(failure)",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "open transmit×3 publish resolve(success) transmit×2",
            "greeting"
        ),
        (
            "failed closeLink publish resolve(failure) resolve(failure) resolve(failure)",
            "mismatched"
        ),
        (
            "failed publish resolve(failure) resolve(failure) resolve(failure)",
            "refused 404, refused 401, failed"
        ),
        (
            "reconnecting publish",
            "refused 503, closed"
        ),
        (
            "reconnecting abandonLink publish",
            "timerFired"
        ),
        (
            "connecting subscription",
            "respond"
        ),
        (
            "connecting resolve(success)",
            "drainAll"
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
            "closing closeLink publish resolve(failure) resolve(failure) resolve(failure)",
            "disconnect"
        ),
        (
            "connecting subscription resolve(success)",
            "subscribe"
        ),
        (
            "connecting subscription finish resolve(success)",
            "unsubscribe, drain"
        ),
        (
            "connecting finish subscription",
            "endScope"
        ),
        (
            "connecting finish",
            "closeInbox"
        ),
        (
            "connecting resolve(failure)",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "open transmit×3 publish resolve(success) transmit×2",
            "greeting"
        ),
        (
            "failed closeLink publish resolve(failure) resolve(failure) resolve(failure)",
            "mismatched"
        ),
        (
            "failed publish resolve(failure) resolve(failure) resolve(failure)",
            "refused 404, refused 401, failed"
        ),
        (
            "reconnecting publish",
            "refused 503, closed"
        ),
        (
            "reconnecting abandonLink publish",
            "timerFired"
        ),
        (
            "connecting subscription",
            "respond"
        ),
        (
            "connecting resolve(success)",
            "drainAll"
        ),
    ]

    private static let open: [(outcome: String, inputs: String)] = [
        (
            "open resolve(success)",
            "connect, settle, reply"
        ),
        (
            "closing closeLink publish subscription subscription subscription resolve(failure) resolve(failure)",
            "disconnect"
        ),
        (
            "connecting closeLink publish subscription subscription subscription resolve(failure) resolve(failure) publish openLink",
            "reconnect"
        ),
        (
            "open transmit",
            """
            answer, submit, ping, ping received, path available, path lost, \
            timerFired, drainAll
            """
        ),
        (
            "open subscription finish transmit",
            "unsubscribe"
        ),
        (
            "open finish subscription transmit",
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
            "open transmit resolve(failure)",
            "cancel a publish"
        ),
        (
            "open publish",
            "greeting"
        ),
        (
            "open ready",
            "delivery, request, event, server error"
        ),
        (
            "reconnecting publish subscription subscription subscription resolve(failure) resolve(failure)",
            "closed, failed"
        ),
        (
            "open subscription transmit",
            "subscribe, respond, drain"
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
            "closing subscription resolve(success)",
            "subscribe"
        ),
        (
            "closing subscription finish resolve(success)",
            "unsubscribe, drain"
        ),
        (
            "closing finish subscription",
            "endScope"
        ),
        (
            "closing finish",
            "closeInbox"
        ),
        (
            "closing resolve(failure)",
            "submit, ping"
        ),
        (
            "closed publish resolve(success)",
            "closed, failed"
        ),
        (
            "closed abandonLink publish resolve(success)",
            "timerFired"
        ),
        (
            "closing subscription",
            "respond"
        ),
        (
            "closing resolve(success)",
            "drainAll"
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
            "closed publish resolve(failure) resolve(failure) resolve(failure) resolve(success)",
            "disconnect"
        ),
        (
            "connecting publish openLink",
            "reconnect, path available, timerFired"
        ),
        (
            "reconnecting subscription resolve(success)",
            "subscribe"
        ),
        (
            "reconnecting subscription finish resolve(success)",
            "unsubscribe, drain"
        ),
        (
            "reconnecting finish subscription",
            "endScope"
        ),
        (
            "reconnecting finish",
            "closeInbox"
        ),
        (
            "reconnecting resolve(failure)",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "reconnecting subscription",
            "respond"
        ),
        (
            "reconnecting resolve(success)",
            "drainAll"
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
            "closed cancelAsk publish resolve(failure) resolve(failure) resolve(failure) resolve(success)",
            "disconnect"
        ),
        (
            "connecting cancelAsk publish openLink",
            "reconnect, path available"
        ),
        (
            "reconnecting subscription resolve(success)",
            "subscribe"
        ),
        (
            "reconnecting subscription finish resolve(success)",
            "unsubscribe, drain"
        ),
        (
            "reconnecting finish subscription",
            "endScope"
        ),
        (
            "reconnecting finish",
            "closeInbox"
        ),
        (
            "reconnecting resolve(failure)",
            "ping, cancel a publish, cancel a wait"
        ),
        (
            "reconnecting publish",
            "delay"
        ),
        (
            "failed publish resolve(failure) resolve(failure) resolve(failure)",
            "no delay, provider failed"
        ),
        (
            "failed cancelAsk publish resolve(failure) resolve(failure) resolve(failure)",
            "timerFired"
        ),
        (
            "reconnecting subscription",
            "respond"
        ),
        (
            "reconnecting resolve(success)",
            "drainAll"
        ),
    ]

    private static let failed: [(outcome: String, inputs: String)] = [
        (
            "connecting publish openLink",
            "connect, reconnect"
        ),
        (
            "closed publish resolve(success)",
            "disconnect"
        ),
        (
            "failed subscription resolve(success)",
            "subscribe"
        ),
        (
            "failed subscription finish resolve(success)",
            "unsubscribe, drain"
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
            "failed finish subscription",
            "endScope"
        ),
        (
            "failed finish",
            "closeInbox"
        ),
        (
            "failed resolve(failure)",
            "submit, ping"
        ),
        (
            "failed subscription",
            "respond"
        ),
        (
            "failed resolve(success)",
            "drainAll"
        ),
    ]
}
