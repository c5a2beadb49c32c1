// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteWire
import Testing

/// Rules 15 and 17, as an app and a slow link see them.
///
/// Bulk never delays urgent by more than one window plus one part, every lane always moves, and a channel's messages of one
/// priority keep their order; what leaves in parts is what was said.
@Suite("Lanes over a slow link")
struct LaneWorldTests {
    private struct World: ~Copyable {
        private struct Said {
            var channel: String
            var priority: SendOptions.Priority
            var size: Int
            /// What had been handed to the link before, and how much of it was unwritten.
            var handed: Int
            var unwritten: Int
            var urgentHanded: Int
            var isLeft = false
        }

        private static let part = 1_000
        /// Of small ones, on the wire.
        private static let small = 900
        private static let stride = 65_536
        private static let window = 4_000

        private(set) var violations: [String] = []
        private(set) var counts: [String: Int] = [:]
        private var random: Generator
        private var client: ClientEngine
        private var now = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
        private var link = LinkID(1)
        private var said: [Int: Said] = [:]
        private var calls: [Int: CallID] = [:]
        private var ended: Set<Int> = []
        private var lastNumber = 0
        private var unwritten: [Transmission] = []
        private var unwrittenBytes = 0
        private var writtenOfFirst = 0
        private var handed = 0
        private var urgentHanded = 0
        /// What had been handed over when a lane had its last turn: that of messages by priority, and that of parts.
        private var turns: [SendOptions.Priority: Int] = [:]
        private var partTurn = 0
        private var parts: [UInt64: [UInt8]] = [:]
        private var announced: [UInt64: UInt64] = [:]
        /// The last message of each channel and priority that left.
        private var last: [String: Int] = [:]
        private let batches: Bool
        /// Large values that are to be written.
        private var works: [LargeWork] = []
        /// Some urgent ones are large too, and wait for one another.
        private let hasLargeUrgents: Bool
        /// What was handed over, for who looks at a violation.
        private var log: [(handed: Int, what: String)] = []

        init(seed: UInt64) {
            random = Generator(seed: seed)
            batches = seed % 2 == 0
            hasLargeUrgents = seed % 5 == 0
            var configuration = SessionConfiguration()
            configuration.heartbeat = nil
            configuration.writeWindow = Self.window
            if seed % 4 < 2 { configuration.largeValue = 3_000 }
            configuration.flow.chunking?.size = Self.part
            configuration.flow.resumption = nil
            configuration.times.request = .seconds(100_000)
            // With few there is no room behind what leaves in parts.
            configuration.outbox = OutboxPolicy(
                maximumMessages: seed % 3 == 0 ? 20 : 100_000, maximumBytes: 64 << 20, timeToLive: nil)
            let detector = DialectDetector()
            client = ClientEngine(configuration: configuration, random: Generator(seed: seed)) {
                (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes)
            }
            let features =
                #"{"chunking":true,"max-chunk-size":1000,"binary":true\#(batches ? #","batching":true"# : "")}"#
            feed(.command(.connect(CallID(1), limit: nil)))
            report([.opened(LinkOpening())])
            report([
                .received([
                    .text(#"{"type":"welcome","conn-id":"c","capabilities":\#(features)}"#),
                    .text(#"{"type":"flow-handshake-ack","features":\#(features)}"#),
                ])
            ])
            write(.max)
            handed = 0
        }

        private mutating func feed(_ input: Input) {
            var effects: [Effect] = []
            client.handle(input, at: now, into: &effects)
            perform(effects)
        }

        private mutating func report(_ reports: [LinkReport]) {
            var effects: [Effect] = []
            client.handle(reports, of: link, at: now, into: &effects)
            perform(effects)
        }

        private mutating func perform(_ effects: [Effect]) {
            for effect in effects {
                switch effect {
                case .openLink(let id, _): link = id
                case .transmit(_, let batch): for one in batch { hand(one) }
                case .resolve(let call, _):
                    if let number = calls.first(where: { $0.value == call })?.key { ended.insert(number) }
                case .work(let work): works.append(work)
                case .closeLink, .abandonLink: violations.append("the link ended")
                default: break
                }
            }
        }

        // MARK: What leaves

        private mutating func hand(_ transmission: Transmission) {
            let message = transmission.message
            unwritten.append(transmission)
            unwrittenBytes += message.bytes.count
            handed += message.bytes.count
            // The window, and what the last message it took is longer.
            if unwrittenBytes > Self.window + 5_000 {
                violations.append("\(unwrittenBytes) bytes are unwritten")
            }
            log.append((handed, message.kind == .binary ? "part" : String(message.string.prefix(90))))
            guard message.kind == .binary else { return leave(message.bytes) }
            takePart(message.bytes)
        }

        private mutating func takePart(_ bytes: [UInt8]) {
            counts["parts", default: 0] += 1
            var rest = bytes.dropFirst(2)
            guard let number = Self.varint(&rest), let index = Self.varint(&rest),
                let flags = rest.popFirst()
            else { return violations.append("a malformed part") }
            // Of a message that has begun a part has been due since the last one.
            if index > 0 { check("a part", since: partTurn) }
            partTurn = handed
            if index == 0 {
                guard flags & 4 == 4, let size = Self.varint(&rest) else {
                    return violations.append("a first part does not say the size")
                }
                announced[number] = size
            }
            parts[number, default: []] += rest
            guard flags & 1 == 1 else { return }
            guard let whole = parts.removeValue(forKey: number) else { return }
            if announced.removeValue(forKey: number) != UInt64(whole.count) {
                violations.append("parts have another size than was said")
            }
            leave(whole, inParts: true)
        }

        private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
            var number: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = bytes.popFirst() {
                number |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return number }
                shift += 7
            }
            return nil
        }

        private mutating func leave(_ bytes: [UInt8], inParts: Bool = false) {
            guard let value = try? WireFormat.json.decode(bytes) else {
                return violations.append("what left cannot be read")
            }
            for item in value["messages"]?.arrayValue ?? [value] {
                guard let number = item["data"]?["n"]?.integerValue.map({ Int($0) }) else { continue }
                left(number, item, inParts: inParts)
            }
        }

        private mutating func left(_ number: Int, _ value: Value, inParts: Bool) {
            guard var one = said[number] else { return violations.append("nobody said \(number)") }
            if one.isLeft { violations.append("\(number) left twice") }
            one.isLeft = true
            said[number] = one
            if value["data"]?["t"]?.stringValue != Self.text(one.size, number) {
                violations.append("\(number) is not what was said")
            }
            let key = "\(one.channel) \(one.priority)"
            if last[key, default: 0] > number { violations.append("\(number) left after \(last[key] ?? 0)") }
            last[key] = number
            guard !inParts else { return }
            if one.priority == .urgent, !hasLargeUrgents { checkUrgent(number, one) }
            // On their own channels small ones follow nobody.
            if one.channel != "large" {
                let ahead = turnsAhead(of: number, one.priority) * Self.stride
                check(
                    "\(one.priority) \(number)", since: max(turns[one.priority] ?? 0, one.handed) + ahead)
            }
            turns[one.priority] = handed
            if one.priority == .urgent { urgentHanded += one.size }
        }

        /// An urgent message waits for what the link has, for the urgent before it, and for one of each other lane in 64 KiB.
        private mutating func checkUrgent(_ number: Int, _ one: Said) {
            counts["urgent", default: 0] += 1
            let between = handed - one.handed
            let turns = 1 + between / Self.stride
            let others = between - (urgentHanded - one.urgentHanded) * 2
            // A small one is as much again in names.
            if others > turns * (Self.part + 2 * Self.small) + 3_000 {
                let trail = log.filter { $0.handed > one.handed }.map { "\($0.handed) \($0.what)" }
                violations.append(
                    "urgent \(number) waited for \(others) bytes of others:\n\(trail.joined(separator: "\n"))"
                )
            }
        }

        private mutating func check(_ what: String, since turn: Int) {
            guard handed - turn > Self.stride * 2 + 6_000 else { return }
            violations.append("\(what) waited for \(handed - turn) bytes")
        }

        /// Large ones that were said before take turns of their lanes too, and are not seen before their last parts.
        private func turnsAhead(of number: Int, _ priority: SendOptions.Priority) -> Int {
            said.count {
                $0.key < number && $0.value.priority == priority && !$0.value.isLeft
                    && $0.value.size > Self.small
            }
        }

        // MARK: Steps

        private static func text(_ size: Int, _ number: Int) -> String {
            String(repeating: Character(UnicodeScalar(UInt8(97 + number % 26))), count: size)
        }

        /// `isFlood`: urgent ones without end.
        mutating func step(isFlood: Bool) {
            if batches, chance(30) { burst() } else { say(isFlood ? .urgent : nil) }
            if isFlood { for _ in 0..<4 { say(.urgent) } }
            if chance(5),
                let number = said.filter({ !$0.value.isLeft }).keys.sorted().randomElement(using: &random),
                let call = calls[number]
            {
                counts["cancelled", default: 0] += 1
                feed(.command(.cancel(call)))
            }
            if chance(40) { work() }
            write(isFlood ? 2_500 : Int.random(in: 0..<3_000, using: &random))
        }

        private mutating func work() {
            guard !works.isEmpty else { return }
            counts["written elsewhere", default: 0] += 1
            feed(.worked(works.removeFirst().done()))
        }

        private mutating func chance(_ percent: Int) -> Bool {
            Int.random(in: 0..<100, using: &random) < percent
        }

        private mutating func burst() {
            client.beginGathering()
            for _ in 0..<5 { say(nil) }
            var effects: [Effect] = []
            client.endGathering(at: now, into: &effects)
            perform(effects)
        }

        private mutating func say(_ priority: SendOptions.Priority?) {
            lastNumber += 1
            let priorities = SendOptions.Priority.allCases
            let priority = priority ?? priorities[Int.random(in: 0..<3, using: &random)]
            let mayBeLarge = priority != .urgent || hasLargeUrgents
            let isLarge = mayBeLarge && chance(6)
            let channel = isLarge || (mayBeLarge && chance(20)) ? "large" : chance(50) ? "a" : "b"
            let size =
                isLarge
                ? Int.random(in: 1_200..<20_000, using: &random) : Int.random(in: 0..<800, using: &random)
            said[lastNumber] = Said(
                channel: channel, priority: priority, size: size, handed: handed, unwritten: unwrittenBytes,
                urgentHanded: urgentHanded)
            calls[lastNumber] = CallID(UInt64(lastNumber) + 10)
            feed(
                .command(
                    .submit(
                        CallID(UInt64(lastNumber) + 10),
                        Submission(
                            .publish(
                                channel: channel,
                                data: ["n": Value(lastNumber), "t": .string(Self.text(size, lastNumber))],
                                excludeSender: false), options: SendOptions(priority: priority),
                            awaits: .reply))))
        }

        private mutating func write(_ count: Int) {
            var rest = count
            var ids: [SendID] = []
            while let first = unwritten.first, first.message.bytes.count - writtenOfFirst <= rest {
                rest -= first.message.bytes.count - writtenOfFirst
                writtenOfFirst = 0
                unwrittenBytes -= first.message.bytes.count
                ids.append(unwritten.removeFirst().id)
            }
            if !unwritten.isEmpty { writtenOfFirst += rest }
            if !ids.isEmpty { report([.wrote(ids)]) }
        }

        mutating func end() {
            for _ in 0..<100_000 where !unwritten.isEmpty || !works.isEmpty {
                work()
                write(10_000)
            }
            let missing = said.filter { !$0.value.isLeft && !ended.contains($0.key) }
            if !missing.isEmpty { violations.append("\(missing.keys.sorted()) never left") }
            if client.outboxCount > 0 { violations.append("\(client.outboxCount) wait") }
            if client.flowLoad.leaving != OutboxPolicy.Load() {
                violations.append("\(client.flowLoad.leaving) is held")
            }
        }
    }

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    @Test(
        "Urgent ones wait for no more than a window and a part, every lane moves, and channels keep their order"
    )
    func lanes() async {
        var counts: [String: Int] = [:]
        // In 696 what a drain gathered last goes in parts, with nothing unwritten behind which it would be looked at.
        let usual = Array(1...(Self.number("SENTE_SEEDS") ?? 20)) + [696]
        for seed in Self.number("SENTE_SEED").map({ [$0] }) ?? usual {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            var world = World(seed: seed)
            for step in 0..<500 where world.violations.isEmpty {
                world.step(isFlood: (100..<350).contains(step))
            }
            if world.violations.isEmpty { world.end() }
            counts.merge(world.counts) { $0 + $1 }
            guard let violation = world.violations.first else { continue }
            Issue.record("Seed \(seed): \(violation)")
            return
        }
        print("lanes: \(counts)")
        if Self.number("SENTE_SEED") != nil { return }
        for kind in ["parts", "urgent", "cancelled", "written elsewhere"] {
            #expect(counts[kind, default: 0] > 0)
        }
    }
}
