// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import SampleOptions
import SampleTerminal
import SenteLite

/// Standard output: for programs one JSON object a line, each written whole and at once; for people sentences.
public final class Output: Sendable {
    /// What a line tells; its field `kind`.
    public enum Kind: String, Sendable {
        case state, message, event, request, reply, outcome, error, metrics, status, access, stream
    }

    /// Everything a value can hold gets some text, and a message as deep as the client takes still fits.
    private static let format = WireFormat.json(JSONOptions(keys: .scalars, nonFinite: .text), named: "line")
    private static let limits = WireLimits(maximumDepth: 1_024)

    private let began = ContinuousClock.now
    private let queue = DispatchQueue(label: "console.output")
    /// Where people read; nil for programs.
    private let screen: Screen?
    private let narrator: Narrator

    /// People sit before a terminal, unless they ask for JSON.
    convenience init(_ arguments: [String]) {
        let isForPeople = isatty(STDOUT_FILENO) == 1 && !arguments.contains("--json")
        self.init(on: isForPeople ? Screen(prompt: arguments.first == "serve" ? "" : "›") : nil)
    }

    private init(on screen: Screen?) {
        self.screen = screen
        narrator = Narrator(ink: screen?.ink ?? Ink(hasColors: false), isLive: screen?.isLive ?? false)
    }

    /// Writes a line; fields that are nil are left out.
    func write(_ kind: Kind, _ fields: KeyValuePairs<String, Value?>) {
        write(kind, fields.map { ($0.key, $0.value) })
    }

    /// Writes a line of fields that were put together.
    func write(_ kind: Kind, _ fields: [(String, Value?)]) {
        if let screen {
            if let text = narrator.text(kind, Self.map(fields)) { say(text, on: screen) }
        } else {
            queue.sync {
                let line = Self.line(kind, milliseconds: began.duration(to: .now).milliseconds, fields)
                Self.write(line)
            }
        }
    }

    /// Writes text for people.
    func write(text: String) {
        if let screen { screen.show(text) } else { queue.sync { Self.write(Array((text + "\n").utf8)) } }
    }

    /// A change of the state for programs, of anything worth saying for people.
    func write(change new: ConnectionStatus, from old: ConnectionStatus) {
        if let screen {
            if let text = narrator.change(from: old, to: new) { say(text, on: screen) }
            screen.show(ConnectionNotice(new))
        } else if old.state != new.state {
            write(state: new, from: old.state)
        }
    }

    // MARK: The terminal

    /// Shows the prompt, and what to wait for.
    func begin(_ status: ConnectionStatus) {
        screen?.begin()
        screen?.show(ConnectionNotice(status))
    }

    /// A line was typed.
    func typed(_ line: String) { screen?.typed(line, stays: true) }

    /// Returns when everything is written.
    func end() async { await screen?.end() }

    private func say(_ text: String, on screen: Screen) {
        screen.show(text.contains("\n") ? text : "\(screen.clock) \(text)")
    }

    // MARK: Lines

    private static func map(_ fields: [(String, Value?)]) -> ValueMap {
        ValueMap(fields.compactMap { name, value in value.map { (Value(name), $0) } })
    }

    /// The line's bytes, its end included.
    static func line(
        _ kind: Kind, milliseconds: Double, _ fields: [(String, Value?)]
    ) -> [UInt8] {
        var map: ValueMap = ["kind": Value(kind.rawValue), "t": Value(milliseconds)]
        for (name, value) in Self.map(fields) { map[name] = value }
        let bytes =
            (try? format.encode(.map(map), limits: limits)) ?? unsayable(kind, milliseconds, map)
        return bytes + [UInt8(ascii: "\n")]
    }

    /// A line whose values JSON has no word for, with their descriptions instead.
    private static func unsayable(_ kind: Kind, _ milliseconds: Double, _ fields: ValueMap) -> [UInt8] {
        let described = ValueMap(fields.map { ($0.key, Value($0.value.description)) })
        return (try? format.encode(.map(described), limits: limits)) ?? []
    }

    private static func write(_ bytes: [UInt8]) {
        // Nobody is left to be told when standard output is gone.
        try? FileHandle.standardOutput.write(contentsOf: Data(bytes))
    }
}

extension Output {
    /// What a call, or the program itself, failed with.
    func write(_ error: any Error, line: Int? = nil, command: String? = nil) {
        switch error {
        case let error as SenteError:
            write(
                .error,
                [
                    "line": line.map { Value($0) }, "command": command.map { Value($0) },
                    "code": Value(error.code.rawValue), "message": Value(error.description),
                    "outcome": error.outcome.map { Value($0.rawValue) }, "details": error.details,
                ])
        case let error as UsageError:
            write(
                .error,
                [
                    "line": line.map { Value($0) }, "command": command.map { Value($0) }, "code": "usage",
                    "message": Value(error.message),
                ])
        case let error as OutboxStoreError:
            write(.error, ["code": "\(error.reason)", "message": Value(error.description)])
        case let error as LinkFailure:
            write(.error, ["code": "\(error.kind)", "message": Value(error.message)])
        default:
            write(.error, ["code": "failed", "message": Value(String(describing: error))])
        }
    }
}

extension Duration {
    /// In milliseconds, to the microsecond.
    var milliseconds: Double { (self / .microseconds(1)).rounded() / 1_000 }
}
