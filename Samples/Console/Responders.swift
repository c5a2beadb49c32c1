// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// What is answered to the requests of each channel.
actor Responders {
    private struct Entry {
        var answer: Value
        var registration: Registration?
    }

    private var entries: [WireName: Entry] = [:]

    /// Sets the answer; whether the channel has yet to be registered.
    func set(_ answer: Value, for channel: WireName) -> Bool {
        guard entries[channel] != nil else {
            entries[channel] = Entry(answer: answer)
            return true
        }
        entries[channel]?.answer = answer
        return false
    }

    func answer(for channel: WireName) -> Value {
        entries[channel]?.answer ?? .null
    }

    /// Keeps the registration, or ends it when the channel was given up meanwhile.
    func keep(_ registration: Registration, for channel: WireName) {
        if entries[channel] == nil {
            registration.cancel()
        } else {
            entries[channel]?.registration = registration
        }
    }

    func remove(_ channel: WireName) {
        entries.removeValue(forKey: channel)?.registration?.cancel()
    }
}
