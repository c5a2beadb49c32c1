// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// What an app wishes to be subscribed to, as its calls say.
struct WishModel {
    private struct Wish {
        var channel: String
        var claims = 0
        var scopes: Set<InboxID> = []
        var isRejected = false
        var isHeld: Bool { claims > 0 || !scopes.isEmpty }
    }

    private var wishes: [Wish] = []
    private var inboxes: [InboxID: (channel: String, isSubscription: Bool)] = [:]

    var inOrder: [String] { wishes.filter { !$0.isRejected }.map(\.channel) }

    /// True when a rejected wish is asked for again.
    mutating func add(_ channel: String, _ inbox: InboxID, isScoped: Bool, isSubscription: Bool) -> Bool {
        inboxes[inbox] = (channel, isSubscription)
        if !wishes.contains(where: { $0.channel == channel }) { wishes.append(Wish(channel: channel)) }
        var isAgain = false
        change(channel) { wish in
            isAgain = wish.isRejected
            wish.isRejected = false
            if isScoped { wish.scopes.insert(inbox) } else { wish.claims += 1 }
        }
        return isAgain
    }

    mutating func remove(_ channel: String) {
        wishes.removeAll { $0.channel == channel }
        inboxes = inboxes.filter { $0.value.channel != channel || !$0.value.isSubscription }
    }

    mutating func close(_ inbox: InboxID) { inboxes[inbox] = nil }

    /// The channel whose wish ended with it, if one did.
    mutating func end(_ inbox: InboxID) -> String? {
        guard let channel = inboxes.removeValue(forKey: inbox)?.channel else { return nil }
        return release(channel, scope: inbox) ? channel : nil
    }

    /// True when the wish is gone.
    mutating func release(_ channel: String, scope: InboxID?) -> Bool {
        var isReleased = false
        change(channel) { wish in
            if let scope {
                isReleased = wish.scopes.remove(scope) != nil
            } else if wish.claims > 0 {
                wish.claims -= 1
                isReleased = true
            }
            isReleased = isReleased && !wish.isHeld
        }
        if isReleased { wishes.removeAll { $0.channel == channel } }
        return isReleased
    }

    mutating func reject(_ channel: String) { change(channel) { $0.isRejected = true } }

    private mutating func change(_ channel: String, _ body: (inout Wish) -> Void) {
        guard let index = wishes.firstIndex(where: { $0.channel == channel }) else { return }
        body(&wishes[index])
    }
}
