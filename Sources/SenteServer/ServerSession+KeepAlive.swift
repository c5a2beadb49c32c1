// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Sente's own keep-alive, a connection at a time: sente.cljc, on-open, the loop that detects broken connections.
///
/// It looks at windows of time, not at the time since the last sign of life: a window with nothing received and nothing
/// pushed ends with a ping, and one like it after a ping with the close.
extension ServerSession {
    /// One connection's window.
    struct Window {
        var ticket: DeadlineQueue<ConnectionID>.Ticket
        var sawActivity = false
        var expectsPong = false
    }

    mutating func startKeepAlive(of id: ConnectionID) {
        guard let length = configuration.sente.keepAlive else { return }
        openWindow(of: id, length, expectsPong: false)
    }

    private mutating func openWindow(of id: ConnectionID, _ length: Duration, expectsPong: Bool) {
        let due = now.instant.advanced(by: max(length, .milliseconds(1)))
        connections[id]?.window = Window(ticket: windows.add(id, due: due), expectsPong: expectsPong)
    }

    mutating func stopKeepAlive(of id: ConnectionID) {
        guard let window = connections[id]?.window else { return }
        windows.remove(window.ticket)
        connections[id]?.window = nil
    }

    mutating func noteActivity(of id: ConnectionID) {
        connections[id]?.window?.sawActivity = true
    }

    /// A message by any connection of a client counts as activity of the one that is watched.
    mutating func noteMessage(from id: ConnectionID) {
        guard let connection = connections[id],
            let client = users.client(connection.clientID, of: connection.uid)
        else { return }
        noteActivity(of: client.connection)
    }

    mutating func endWindow(of id: ConnectionID) {
        guard let connection = connections[id], let window = connection.window,
            let length = configuration.sente.keepAlive
        else { return }
        connections[id]?.window = nil
        // Nobody watches a connection whose client has another.
        guard users.client(connection.clientID, of: connection.uid)?.connection == id else { return }
        if window.sawActivity {
            openWindow(of: id, length, expectsPong: false)
        } else if window.expectsPong, !outbox.faults(of: id).isSilent {
            counters.deadConnections += 1
            record(.heartbeatTimeout) {
                [
                    "conn-id": $0.field(id),
                    "timeout-ms": .integer(($0.configuration.sente.pingTimeout ?? length).wholeMilliseconds),
                ]
            }
            record(.closingDeadConnection) { ["conn-id": $0.field(id)] }
            end(id, .close(.normal, ""))
        } else {
            send(.ping, to: id, as: .push)
            record(.heartbeatPingSent) { ["conn-id": $0.field(id)] }
            let timeout = configuration.sente.pingTimeout
            openWindow(of: id, timeout ?? length, expectsPong: timeout != nil)
        }
    }
}
