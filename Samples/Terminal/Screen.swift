// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// Standard output for people: lines above a prompt on a terminal, plain lines anywhere else.
///
/// Whatever thread orders something, one task writes it, in the order of the calls.
public final class Screen: Sendable {
    private enum Order {
        case prompt
        case line(String)
        case notice(ConnectionNotice?)
        /// The time has come at which the notice reads differently.
        case tick(ConnectionNotice)
        case typed(String, stays: Bool)
    }

    /// The colours of it.
    public let ink: Ink
    /// Whether its last rows can be written anew.
    public let isLive: Bool
    private let orders: AsyncStream<Order>.Continuation
    private let writing: Task<Void, Never>

    /// A prompt shows where both ends are a terminal.
    public init(prompt: String = "›") {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let ink = Ink(isTerminal: isTerminal, environment: environment)
        let isLive = isTerminal && environment["TERM"] != "dumb"
        let isTyped = isatty(STDIN_FILENO) == 1
        let (stream, orders) = AsyncStream.makeStream(of: Order.self)
        self.ink = ink
        self.isLive = isLive
        self.orders = orders
        writing = Task {
            var text = PromptedText(prompt: isTyped ? prompt : "", ink: ink)
            var notice: ConnectionNotice?
            var ticking: Task<Void, Never>?
            for await order in stream {
                guard isLive else {
                    if case .line(let line) = order { Self.write(line + "\n") }
                    continue
                }
                switch order {
                case .prompt: Self.write(text.begin())
                case .line(let line): Self.write(text.show(line))
                case .typed where !isTyped: break
                case .typed(let line, let stays):
                    Self.write(text.typed(line, stays: stays, columns: Self.columns))
                case .tick(let due) where due != notice: break
                case .tick, .notice:
                    if case .notice(let new) = order { notice = new }
                    ticking?.cancel()
                    ticking = notice.flatMap { Self.tick($0, orders) }
                    Self.write(text.show(notice: notice?.text(at: .now), columns: Self.columns))
                }
            }
            ticking?.cancel()
            if isLive { Self.write(text.end()) }
        }
    }

    /// Shows the prompt.
    public func begin() { orders.yield(.prompt) }

    /// A line, or several.
    public func show(_ line: String) { orders.yield(.line(line)) }

    /// What to wait for, counting down in its place; nil for nothing.
    public func show(_ notice: ConnectionNotice?) { orders.yield(.notice(notice)) }

    /// A line was typed: it stays above the prompt, or is taken back until it has come round.
    public func typed(_ line: String, stays: Bool) { orders.yield(.typed(line, stays: stays)) }

    /// Returns when everything is written, and the terminal is as it was.
    public func end() async {
        orders.finish()
        await writing.value
    }

    /// The time of day, for the beginning of a line.
    public var clock: String {
        let parts = Calendar.current.dateComponents([.hour, .minute, .second], from: Date())
        let text = [parts.hour, parts.minute, parts.second].map { String(format: "%02d", $0 ?? 0) }
        return ink(text.joined(separator: ":"), .dim)
    }

    private static func tick(
        _ notice: ConnectionNotice, _ orders: AsyncStream<Order>.Continuation
    ) -> Task<Void, Never>? {
        guard let wait = notice.lasts(from: .now) else { return nil }
        return Task {
            do { try await Task.sleep(for: wait) } catch { return }
            orders.yield(.tick(notice))
        }
    }

    private static func write(_ text: String) {
        // Nobody is left to be told when standard output is gone.
        if !text.isEmpty { try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }
    }

    private static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
