// SPDX-License-Identifier: Apache-2.0

#if canImport(Network)

import Dispatch
import Foundation
import Network
import SenteBase

// A Mac that runs an iPad's app has AppKit, too, but not this of it.
#if os(macOS)
import AppKit
#endif

/// Hears what the system says of its networks, and that the app came to the foreground, or on a Mac that the machine woke.
final class ApplePathWatch: PathWatch, @unchecked Sendable {
    private weak var loop: EventLoop?
    private let report: (NetworkChange) -> Void
    private let monitor = NWPathMonitor()
    /// Used on the monitor's queue only.
    private var last: NWPath?
    private var observers: [(center: NotificationCenter, token: any NSObjectProtocol)] = []

    init?(on loop: EventLoop, report: @escaping (NetworkChange) -> Void) {
        self.loop = loop
        self.report = report
        monitor.pathUpdateHandler = { [weak self] path in self?.updated(path) }
        monitor.start(queue: DispatchQueue(label: "sente-path"))
        for (center, name) in Self.awakenings {
            let token = center.addObserver(forName: name, object: nil, queue: nil) { [weak self] _ in
                self?.tell(.available)
            }
            observers.append((center, token))
        }
    }

    /// By their texts where the constants belong to a framework that not every app has.
    private static var awakenings: [(NotificationCenter, Notification.Name)] {
        #if os(macOS)
        [(NSWorkspace.shared.notificationCenter, NSWorkspace.didWakeNotification)]
        #elseif os(watchOS)
        [(.default, Notification.Name("WKApplicationWillEnterForegroundNotification"))]
        #else
        [(.default, Notification.Name("UIApplicationWillEnterForegroundNotification"))]
        #endif
    }

    /// The first call tells how things stand, which is no change.
    private func updated(_ path: NWPath) {
        defer { last = path }
        guard let last, last != path else { return }
        tell(path.status == .satisfied ? .available : .lost)
    }

    private func tell(_ change: NetworkChange) {
        loop?.post { [weak self] in self?.report(change) }
    }

    func stop() {
        // A monitor that was cancelled cannot be started again: the next watch makes one of its own.
        monitor.cancel()
        for (center, token) in observers { center.removeObserver(token) }
        observers = []
    }

    deinit {
        stop()
    }
}

#endif
