// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteLite

/// Shows the conversation, and where the connection stands.
struct Output: Sendable {
    private let screen = Screen()
    private let look: Look

    init(name: String) {
        look = Look(own: name, ink: screen.ink, isLive: screen.isLive)
    }

    func begin() {
        screen.begin()
    }

    func show(_ line: Conversation.Line) {
        show(text: look.text(line))
    }

    /// Text as it is, such as the help.
    func show(text: String) {
        screen.show(screen.isLive ? "\(screen.clock) \(text)" : text)
    }

    /// Says that it is connecting, and why there is no connection; the notice says when the next attempt is.
    func follow(from old: ConnectionStatus?, to new: ConnectionStatus) {
        switch ConnectionNews(from: old, to: new) {
        case .connecting(attempt: 1) where !screen.isLive: show(Conversation.Line(.connection, "connecting"))
        case .lost(let why):
            show(
                Conversation.Line(.trouble, "connection lost: \(why) What you write waits until it is back."))
        case .unreachable(let why): show(Conversation.Line(.trouble, "no connection: \(why) Trying again."))
        case .connecting, .connected, .gaveUp, .closed, nil: break
        }
        screen.show(ConnectionNotice(new))
    }

    /// It shows when it has come round.
    func typed(_ line: String) { screen.typed(line, stays: false) }

    func end(failed: Bool) async {
        screen.show(nil)
        if !failed { show(Conversation.Line(.connection, "left")) }
        await screen.end()
    }
}
