// SPDX-License-Identifier: Apache-2.0

public import SampleTerminal
public import SenteLite

/// Says to people what the lines for programs say.
public struct Narrator: Sendable {
    private let ink: Ink
    /// Whether a notice on the screen tells of attempts already.
    private let isLive: Bool

    /// With those colours; `isLive` where a notice on the screen tells of attempts already.
    public init(ink: Ink, isLive: Bool) {
        self.ink = ink
        self.isLive = isLive
    }

    // MARK: The connection

    /// What a change of the status is worth saying; nil: nothing.
    public func change(from old: ConnectionStatus, to new: ConnectionStatus) -> String? {
        switch ConnectionNews(from: old, to: new) {
        case .connected:
            let name = new.identity?.connectionID.map { " as \($0.printable)" } ?? ""
            let user = new.identity?.uid.map { ", user \(Self.bare($0))" } ?? ""
            let words = [new.dialect?.rawValue, new.format?.name].compactMap(\.self).joined(separator: ", ")
            return ink("●", .green) + " connected\(name)\(user) " + ink("(\(words))", .dim)
        case .connecting(let attempt): return isLive ? nil : ink("· connecting, attempt \(attempt)", .dim)
        case .lost(let why): return ink("●", .yellow) + " connection lost: \(why)"
        case .unreachable(let why): return ink("●", .yellow) + " no connection: \(why)"
        case .gaveUp(let why): return ink("✗", .red) + " gave up: \(why) The command connect tries again."
        case .closed: return ink("○", .dim) + " closed"
        case nil: return nil
        }
    }

    // MARK: Everything else

    /// A line of that kind, or several; nil for what a change of the status says already.
    public func text(_ kind: Output.Kind, _ fields: ValueMap) -> String? {
        if fields["command"] == "connect", fields["line"] == nil { return nil }
        let data = { (name: String) in (fields[Value(name)] ?? .null).readable }
        let word = { (name: String) in fields[Value(name)]?.stringValue?.printable ?? "" }
        let took =
            fields["took"]?.doubleValue.map { ink(" in \(Duration.milliseconds($0).text)", .dim) } ?? ""
        switch kind {
        case .message: return message(word("channel"), data("data"), fields)
        case .event: return ink("event", .cyan) + " \(word("id")) \(data("data"))"
        case .request:
            return ink("request", .cyan)
                + " on \(word("channel")): \(data("data")), answered \(data("answer"))"
        case .reply:
            let subject = word("channel").isEmpty ? word("id") : word("channel")
            return ink("answer", .green) + " from \(subject): \(data("data"))\(took)"
        case .outcome: return outcome(word("command"), fields)
        case .error:
            let command = word("command")
            return ink("✗", .red) + (command.isEmpty ? " " : " \(command): ") + word("message")
        // How far each is, `streams` says when somebody asks.
        case .stream: return nil
        case .access: return access(word("event"), fields)
        case .state: return list(fields)
        case .metrics: return list(fields) + ink("\n  times are in milliseconds", .dim)
        case .status where fields["commands"] != nil: return commands(fields["commands"]?.arrayValue ?? [])
        case .status where fields["url"] != nil: return serving(fields)
        case .status where fields["reason"] != nil: return ink("○", .dim) + " stopped: \(word("reason"))"
        case .status: return list(fields)
        }
    }

    private func message(_ channel: String, _ data: String, _ fields: ValueMap) -> String {
        var notes: [String] = []
        if let id = fields["id"]?.stringValue { notes.append(id.printable) }
        if let sender = fields["sender"]?.stringValue { notes.append("from \(sender.printable)") }
        if fields["retained"] == true { notes.append("kept by the server") }
        if let missed = fields["missed"]?.integerValue, missed > 0 {
            notes.append("\(missed) missed before it")
        }
        if let gap = fields["gap"], let duration = gap["duration"]?.doubleValue {
            let filling = gap["filling"] == "all" ? "all of it came" : "some may be missing"
            notes.append("after a gap of \(Duration.milliseconds(duration).text), \(filling)")
        }
        let note = notes.isEmpty ? "" : ink("  " + notes.joined(separator: ", "), .dim)
        return ink(channel, .bold, .cyan) + " \(data)\(note)"
    }

    private func outcome(_ command: String, _ fields: ValueMap) -> String {
        let word = { (name: String) in fields[Value(name)].map(Self.bare) }
        let channel = word("channel") ?? ""
        let sentence =
            switch command {
            case "subscribe":
                "subscribed to \(channel)" + (fields["confirmed"] == true ? "" : ", not confirmed yet")
            case "unsubscribe": "unsubscribed from \(channel)"
            case "publish":
                "published to \(channel): \(word("outcome") ?? "")" + (word("id").map { " as \($0)" } ?? "")
                    + (word("deliveredTo").map { ", delivered to \($0)" } ?? "")
            case "respond": "answering requests on \(channel) with \(word("data") ?? "")"
            case "send", "event": "\(word("id") ?? "") \(word("outcome") ?? "")"
            case "upload": "\(word("file") ?? "") arrived: \(word("bytes") ?? "") bytes"
            case "download": "\(word("file") ?? "") is whole"
            case "outbox": "a message of the outbox: \(word("outcome") ?? "")"
            case "connect": "connected"
            case "disconnect": "disconnected"
            default: command
            }
        return ink("✓", .green) + " " + sentence
    }

    // MARK: The server

    private func serving(_ fields: ValueMap) -> String {
        let words = [fields["mode"], fields["format"]].compactMap { $0?.stringValue }.joined(separator: ", ")
        return ink("●", .green) + " serving at " + ink(fields["url"]?.stringValue ?? "", .bold)
            + ink(" (\(words)); Ctrl-C ends it", .dim)
    }

    private func access(_ event: String, _ fields: ValueMap) -> String {
        let client = fields["connection"]?.stringValue ?? ""
        let peer = fields["peer"]?.stringValue.map { " \($0)" } ?? ""
        switch event {
        case "came":
            return ink("→", .green) + " \(client.printable)\(peer) "
                + ink((fields["path"]?.stringValue ?? "").printable, .dim)
        case "went":
            let stayed = fields["stayed"]?.doubleValue.map { "after \(Duration.milliseconds($0).text)" } ?? ""
            let count = fields["messages"]?.integerValue ?? 0
            let why = (fields["reason"]?.stringValue ?? "").printable
            return ink("←", .yellow) + " \(client.printable) "
                + ink("\(stayed), \(count) \(count == 1 ? "message" : "messages"), \(why)", .dim)
        default:
            let status = fields["status"].map { Self.bare($0) } ?? ""
            return ink("✗", .red) + " refused with \(status)\(peer) "
                + ink((fields["path"]?.stringValue ?? "").printable, .dim)
        }
    }

    // MARK: Lists

    private func commands(_ forms: [Value]) -> String {
        forms.compactMap(\.stringValue).map { form in
            let words = form.split(separator: " ", maxSplits: 1)
            return "  " + ink(String(words[0]), .bold) + (words.count > 1 ? " \(words[1])" : "")
        }.joined(separator: "\n")
    }

    private func list(_ fields: ValueMap) -> String {
        let rows = fields.filter {
            !["kind", "t", "line"].contains($0.key.stringValue ?? "") && !$0.value.isNull
        }
        let width = rows.map { ($0.key.stringValue ?? "").count }.max() ?? 0
        return rows.map { row in
            let name = (row.key.stringValue ?? "").printable
            let blanks = String(repeating: " ", count: width - name.count)
            return "  " + ink(name + blanks, .dim) + "  " + Self.spread(row.value)
        }.joined(separator: "\n")
    }

    private static func spread(_ value: Value) -> String {
        switch value {
        case .map(let map) where !map.isEmpty:
            map.map { "\(($0.key.stringValue ?? $0.key.readable).printable) \(bare($0.value))" }.joined(
                separator: ", ")
        case .vector(let values) where !values.isEmpty: values.map(bare).joined(separator: ", ")
        case .map, .vector: "none"
        default: bare(value)
        }
    }

    /// Without the quotes of a text.
    private static func bare(_ value: Value) -> String {
        value.stringValue?.printable ?? value.readable
    }
}
