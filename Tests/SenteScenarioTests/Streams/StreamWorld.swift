// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// A client's streams against a server's, over links that break anywhere, with sources and consumers that dawdle.
///
/// Everything is drawn from one seed. After each step the rules are held against both ends; a sentence that says what broke is
/// kept in `broken`.
struct StreamWorld {
    /// One stream, as the apps at both ends see it.
    struct Course {
        let id: String
        let kind: StreamKind
        /// What goes up, and what down.
        let up: [UInt8]
        let down: [UInt8]
        let isSeekable: Bool
        var isChecked = true
        var serverGot: [UInt8] = []
        var clientGot: [UInt8] = []
        /// The place for which each source was asked.
        var clientWantsAt: UInt64?
        var serverWantsAt: UInt64?
        /// Where the client's source goes on.
        var clientPlace: UInt64 = 0
        var serverTakes = false
        var clientTakes = false
        var clientEnding: StreamEnding?
        var serverOutcome: ServerStream.Outcome?
        var clientPieces: UInt64 = 0
        var serverPieces: UInt64 = 0
    }

    enum Frame {
        case word(String, ValueMap)
        case binary([UInt8])
    }

    /// What may happen beside the bytes' moving.
    struct Trouble {
        var cuts = 0
        var cancels = 0
        var pauses = 0
        var flips = 0
        var restarts = 0
    }

    /// Words and chunks that nobody here means.
    enum Noise {
        case none
        /// About streams that are not there, or are the noise's own.
        case strangers
        /// About the streams that are there: they may end of it, and nothing else may happen.
        case assault
    }

    /// What happened, so that a test can see that everything did.
    struct Tally {
        var steps = 0
        var cuts = 0
        var completed = 0
        var cancels = 0
        var cancelled = 0
        var failed: [String: Int] = [:]
        var rewinds = 0
        var seeks = 0
        var stalls = 0
        var controls = 0
        var restarts = 0
        var resentChunks = 0
        var progress = 0
        var noise = 0

        mutating func add(_ other: Tally) {
            steps += other.steps
            cuts += other.cuts
            completed += other.completed
            cancels += other.cancels
            cancelled += other.cancelled
            failed.merge(other.failed, uniquingKeysWith: +)
            rewinds += other.rewinds
            seeks += other.seeks
            stalls += other.stalls
            controls += other.controls
            restarts += other.restarts
            resentChunks += other.resentChunks
            progress += other.progress
            noise += other.noise
        }
    }

    var random: Generator
    private(set) var now = Instant(nanoseconds: 0)
    private(set) var client: StreamTable
    private(set) var server: StreamRegistry
    private(set) var courses: [Course] = []
    private(set) var tally = Tally()
    private(set) var broken: String?
    private var trouble: Trouble
    private let noise: Noise
    private var isLinked = false
    private var up = Queue<Frame>()
    private var down = Queue<Frame>()
    private let usesBinary: Bool
    private let settings: StreamSettings
    private let credits: Int
    private let chunkSize: Int
    private let checksChunks: Bool
    private var highestUp: [String: UInt64] = [:]
    private var highestDown: [String: UInt64] = [:]

    init(seed: UInt64, noise: Noise = .none, trouble: Trouble? = nil) {
        var random = Generator(seed: seed)
        chunkSize = Int.random(in: 4...32, using: &random)
        credits = Int.random(in: 1...10, using: &random)
        usesBinary = Bool.random(using: &random)
        checksChunks = Int.random(in: 0..<3, using: &random) == 0
        var settings = StreamSettings()
        settings.chunkSize = 64
        var policy = StreamPolicy()
        if Int.random(in: 0..<4, using: &random) == 0 {
            // As many bytes as so many chunks have at most.
            settings.flowControl = .window(bytes: credits * chunkSize)
            policy.window = .bytes(credits * chunkSize)
        } else {
            settings.flowControl = .credits(credits)
            policy.window = .chunks(credits)
        }
        self.settings = settings
        self.noise = noise
        client = StreamTable(settings: settings)
        server = StreamRegistry(policy: policy)
        self.trouble =
            trouble
            ?? Trouble(
                cuts: Int.random(in: 0...6, using: &random),
                cancels: Int.random(in: 0..<3, using: &random) == 0 ? 1 : 0,
                pauses: Int.random(in: 0...4, using: &random),
                flips: checksChunks ? Int.random(in: 0...3, using: &random) : 0,
                restarts: Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0)
        self.random = random
        for number in 0..<Int.random(in: 1...4, using: &self.random) { begin("s\(number)") }
    }

    // MARK: The apps

    private mutating func begin(_ id: String) {
        let kind: StreamKind = [.upload, .download, .bidirectional].randomElement(using: &random) ?? .upload
        var course = Course(
            id: id, kind: kind, up: kind == .download ? [] : bytes(), down: kind == .upload ? [] : bytes(),
            isSeekable: trouble.restarts > 0 || Bool.random(using: &random))
        course.isChecked = Int.random(in: 0..<4, using: &random) > 0
        let isSized = Bool.random(using: &random)
        let isServers = kind == .download || kind == .bidirectional && Bool.random(using: &random)
        if isServers {
            let offer = StreamOffer(
                kind == .download ? .download : .bidirectional, channel: "exports", chunkSize: chunkSize,
                totalSize: isSized && kind == .download ? UInt64(course.down.count) : nil,
                isChecked: course.isChecked, checksChunks: checksChunks)
            _ = server.open(offer, id: id, canGoBack: course.isSeekable, at: now)
        } else {
            let opening = StreamOpening(
                kind: kind, number: 0, channel: "reports", chunkSize: chunkSize,
                totalSize: isSized && kind == .upload ? UInt64(course.up.count) : nil,
                metadata: ["filename": "../../etc/q3.pdf"], isChecked: course.isChecked,
                checksChunks: checksChunks)
            try? client.open(
                StreamMachine(
                    id: id, opening, isSeekable: course.isSeekable, settings: settings, at: now), at: now)
        }
        courses.append(course)
        perform()
    }

    private mutating func bytes() -> [UInt8] {
        let most = Int.random(in: 0..<8, using: &random) == 0 ? 0 : 400
        return (0..<Int.random(in: 0...most, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
    }

    private func place(_ id: String) -> Int? { courses.firstIndex { $0.id == id } }

    /// Performs what both ends want done.
    private mutating func perform() {
        for output in client.takeOutputs() {
            guard let place = place(output.id) else { continue }
            switch output.effect {
            case .say(let word):
                if case .rewind = word { tally.rewinds += 1 }
                up.append(.word(word.name, word.fields(of: output.id) { .string($0) }))
            case .offered:
                client.change(output.id) { [seekable = courses[place].isSeekable, now] in
                    $0.accept(isSeekable: seekable, at: now)
                }
                perform()
            case .wantsBytes: courses[place].clientWantsAt = courses[place].clientPlace
            case .seek(let to):
                tally.seeks += 1
                courses[place].clientPlace = to
                courses[place].clientWantsAt = nil
            case .hasPieces: courses[place].clientTakes = true
            case .startsOver:
                fail("\(output.id) begins anew")
            case .control: tally.controls += 1
            case .progress(let progress):
                tally.progress += 1
                if progress.state.isFinal { tally.stalls += progress.creditStalls }
            case .started, .changed: break
            case .ended(let ending):
                if case .cancelled(true, "The link was lost.") = ending { break }
                // Another process has forgotten a name, and one who means no good may use it again.
                if courses[place].clientEnding != nil, noise != .assault {
                    fail("\(output.id) ended twice at the client")
                }
                courses[place].clientEnding = ending
            }
        }
        for output in server.takeOutputs() {
            guard let place = place(output.id) else { continue }
            switch output.event {
            case .say(let word):
                if case .rewind = word { tally.rewinds += 1 }
                down.append(
                    .word(word.name, word.fields(of: output.id, { .string($0) }, writesBytes: true)))
            case .offered:
                server.change(output.id, at: now) { [now] in $0.accept(at: now) }
                perform()
            case .wants(let at): courses[place].serverWantsAt = at
            case .hasParts: courses[place].serverTakes = true
            case .control: tally.controls += 1
            case .accepted: break
            case .over(let outcome):
                if courses[place].serverOutcome != nil { fail("\(output.id) ended twice at the server") }
                courses[place].serverOutcome = outcome
            }
        }
    }

    /// Where each stream stands, for a seed that does not end.
    var report: String {
        courses.map { course in
            let client = client[course.id].map { "\($0.state), keeps \($0.keptChunks)" } ?? "-"
            let server = server[course.id].map { "number \($0.number ?? 0), keeps \($0.kept)" } ?? "-"
            return "\(course.id) \(course.kind): got up \(course.serverGot.count)/\(course.up.count), "
                + "down \(course.clientGot.count)/\(course.down.count); client \(client), server \(server); "
                + "\(course.clientEnding.map { "\($0)" } ?? "-") \(course.serverOutcome.map { "\($0)" } ?? "-")"
        }.joined(separator: "\n") + "\nlinked \(isLinked) at \(now), on the way \(up.count), \(down.count)"
    }

    private mutating func fail(_ why: String) {
        if broken == nil { broken = why }
    }

    // MARK: Steps

    private enum Action: CaseIterable {
        case sendUp, sendDown, deliverUp, deliverDown, clientGives, serverGives, clientTakes, serverTakes
        case cut, link, wait, cancel, pause, control, restart, noise
    }

    /// Runs until all streams are over at both ends; false when that does not come.
    mutating func run(steps: Int = 40_000) -> Bool {
        var idle = 0
        while broken == nil, courses.contains(where: { client[$0.id] != nil || server[$0.id] != nil }) {
            tally.steps += 1
            guard tally.steps < steps else { return false }
            let didSomething = step()
            if didSomething {
                perform()
                check()
            }
            idle = didSomething ? 0 : idle + 1
            guard idle > 20 else { continue }
            idle = 0
            // Time goes by when there is nothing else to do.
            let isBusy =
                link() || deliverUp() || deliverDown() || sendUp() || sendDown() || clientGives()
                || serverGives()
                || clientTakes() || serverTakes()
            if isBusy {
                perform()
                check()
            } else {
                pass(until: [client.deadline, server.deadline].compactMap(\.self).min() ?? now)
            }
        }
        settleEnds()
        return broken == nil
    }

    private mutating func step() -> Bool {
        switch Action.allCases.randomElement(using: &random) {
        case .sendUp: return sendUp()
        case .sendDown: return sendDown()
        case .deliverUp: return deliverUp()
        case .deliverDown: return deliverDown()
        case .clientGives: return clientGives()
        case .serverGives: return serverGives()
        case .clientTakes: return clientTakes()
        case .serverTakes: return serverTakes()
        case .cut: return trouble.cuts > 0 && chance(40) && cut()
        case .link: return link()
        case .wait:
            pass(until: now.advanced(by: .milliseconds(Int.random(in: 1...200, using: &random))))
            return false
        case .cancel: return trouble.cancels > 0 && chance(100) && cancel()
        case .pause: return trouble.pauses > 0 && chance(20) && pause()
        case .control: return chance(50) && control()
        case .restart: return trouble.restarts > 0 && chance(60) && restart()
        case .noise: return noise != .none && makeNoise()
        case nil: return false
        }
    }

    private mutating func makeNoise() -> Bool {
        guard isLinked else { return false }
        tally.noise += 1
        let strangers = ["x0", "x1", "x2", "x3"]
        let ids = noise == .strangers ? strangers : strangers + courses.map(\.id)
        var source = StreamNoise(random: random, ids: ids)
        defer { random = source.random }
        // Binary chunks are known by number alone: those of others are not to be touched.
        if let message = source.chunk(numbers: noise == .strangers ? 1_000...2_000 : 0...9) {
            _ = server.hear(binary: message, at: now)
            try? client.heard(binary: message, at: now)
            return true
        }
        var (name, fields) = source.word()
        if noise == .strangers, let number = fields["stream"]?.integerValue, number < 1_000 {
            fields["stream"] = .integer(1_000 + max(0, number))
        }
        _ = server.hear(named: name, fields, at: now)
        try? client.heard(name: name, fields, at: now)
        return true
    }

    private mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }

    private mutating func pass(until instant: Instant) {
        now = max(now, instant)
        client.expire(at: now)
        server.expire(at: now)
        perform()
        if let due = [client.deadline, server.deadline].compactMap(\.self).min(), due <= now {
            fail("a deadline stands in the past")
        }
    }

    private mutating func sendUp() -> Bool {
        guard isLinked, up.count < 20, let (id, number, chunk) = client.takeChunk(at: now) else {
            return false
        }
        if chunk.index < highestUp[id] ?? 0 { tally.resentChunks += 1 }
        highestUp[id] = max(highestUp[id] ?? 0, chunk.index + 1)
        if let course = courses.first(where: { $0.id == id }), usesChunkCredits, noise != .assault,
            chunk.index >= course.serverPieces + UInt64(credits)
        {
            fail("\(id): chunk \(chunk.index) goes up and \(course.serverPieces) were taken")
        }
        let bytes = chunk.binary(number: number)
        up.append(
            usesBinary
                ? .binary(flipped(bytes))
                : .word(StreamChunk.name, chunk.fields(of: id, writesBytes: false) { .string($0) }))
        return true
    }

    private mutating func sendDown() -> Bool {
        guard isLinked, down.count < 20, let (id, number, part) = server.takePart(at: now) else {
            return false
        }
        let bytes = part.binary(number: number)
        guard let (_, chunk) = StreamChunk.read(binary: bytes) else {
            fail("the client cannot read the server's chunk")
            return true
        }
        if chunk.index < highestDown[id] ?? 0 { tally.resentChunks += 1 }
        highestDown[id] = max(highestDown[id] ?? 0, chunk.index + 1)
        if let course = courses.first(where: { $0.id == id }), usesChunkCredits, noise != .assault,
            chunk.index >= course.clientPieces + UInt64(credits)
        {
            fail("\(id): chunk \(chunk.index) goes down and \(course.clientPieces) were taken")
        }
        let word = ServerStreamWord.chunk(part)
        down.append(
            usesBinary
                ? .binary(flipped(bytes))
                : .word(word.name, word.fields(of: id, { .keyword(Keyword($0)) }, writesBytes: false)))
        return true
    }

    private var usesChunkCredits: Bool {
        if case .credits = settings.flowControl { true } else { false }
    }

    /// Damages the last byte on its way, sometimes, where chunks have checksums.
    private mutating func flipped(_ bytes: [UInt8]) -> [UInt8] {
        guard trouble.flips > 0, checksChunks, chance(10) else { return bytes }
        trouble.flips -= 1
        var bytes = bytes
        bytes[bytes.count - 1] ^= 1
        return bytes
    }

    private mutating func deliverUp() -> Bool {
        guard isLinked, let frame = up.popFirst() else { return false }
        let isRight =
            switch frame {
            case .word(let name, let fields): server.hear(named: name, fields, at: now)
            case .binary(let bytes): server.hear(binary: bytes, at: now) != nil
            }
        if !isRight { fail("the server cannot read what the client said") }
        return true
    }

    private mutating func deliverDown() -> Bool {
        guard isLinked, let frame = down.popFirst() else { return false }
        do {
            switch frame {
            case .word(let name, let fields): try client.heard(name: name, fields, at: now)
            case .binary(let bytes): try client.heard(binary: bytes, at: now)
            }
        } catch {
            fail("the client ends the link: \(error)")
        }
        return true
    }

    private mutating func clientGives() -> Bool {
        guard
            let place = courses.indices.filter({ courses[$0].clientWantsAt != nil }).randomElement(
                using: &random),
            let at = courses[place].clientWantsAt
        else { return false }
        let course = courses[place]
        courses[place].clientWantsAt = nil
        let rest = course.up.dropFirst(Int(at))
        guard !rest.isEmpty else {
            client.change(course.id) { [now] in $0.finish(at: at, now: now) }
            return true
        }
        let piece = rest.prefix(Int.random(in: 1...chunkSize * 3, using: &random))
        courses[place].clientPlace = at + UInt64(piece.count)
        client.change(course.id) { [now] in $0.provide(piece, at: at, now: now) }
        return true
    }

    private mutating func serverGives() -> Bool {
        guard
            let place = courses.indices.filter({ courses[$0].serverWantsAt != nil }).randomElement(
                using: &random),
            let at = courses[place].serverWantsAt
        else { return false }
        let course = courses[place]
        courses[place].serverWantsAt = nil
        let rest = course.down.dropFirst(Int(at))
        let size = Int.random(in: 1...chunkSize * 3, using: &random)
        server.change(course.id, at: now) { [now] in
            if rest.isEmpty { $0.end(at: at, now: now) } else { $0.give(rest.prefix(size), at: at, now: now) }
        }
        return true
    }

    private mutating func clientTakes() -> Bool {
        guard let place = courses.indices.filter({ courses[$0].clientTakes }).randomElement(using: &random)
        else {
            return false
        }
        let id = courses[place].id
        guard let piece = client.change(id, { [now] in $0.takePiece(at: now) }) ?? nil else {
            courses[place].clientTakes = false
            if client[id]?.isTaken == true { client.change(id) { [now] in $0.confirm(at: now) } }
            return true
        }
        // Rule 18: what comes out is what went in, in order.
        if noise != .assault,
            !courses[place].down.dropFirst(courses[place].clientGot.count).starts(with: piece.bytes)
        {
            fail("\(id): other bytes went down")
        }
        courses[place].clientGot += piece.bytes
        courses[place].clientPieces = max(courses[place].clientPieces, piece.index + 1)
        return true
    }

    private mutating func serverTakes() -> Bool {
        guard let place = courses.indices.filter({ courses[$0].serverTakes }).randomElement(using: &random)
        else {
            return false
        }
        let id = courses[place].id
        guard let part = server.change(id, at: now, { [now] in $0.take(at: now) }) ?? nil else {
            courses[place].serverTakes = false
            if server[id]?.isTaken == true {
                server.change(id, at: now) { [now] in $0.confirm(.string("kept"), at: now) }
            }
            return true
        }
        if noise != .assault, !courses[place].up.dropFirst(courses[place].serverGot.count).starts(with: part)
        {
            fail("\(id): other bytes went up")
        }
        courses[place].serverGot += part
        courses[place].serverPieces += 1
        return true
    }

    private mutating func cut() -> Bool {
        guard isLinked else { return false }
        trouble.cuts -= 1
        tally.cuts += 1
        // Some of what is on its way still arrives.
        for _ in 0..<Int.random(in: 0...up.count, using: &random) {
            _ = deliverUp()
            perform()
        }
        unlink()
        return true
    }

    private mutating func unlink() {
        isLinked = false
        up = Queue()
        down = Queue()
        client.unlinked(at: now)
        server.unlinked(at: now)
        perform()
        up = Queue()
        down = Queue()
    }

    private mutating func link() -> Bool {
        guard !isLinked else { return false }
        isLinked = true
        server.linked(at: now)
        client.linked(at: now)
        return true
    }

    private mutating func cancel() -> Bool {
        guard let course = courses.randomElement(using: &random) else { return false }
        trouble.cancels -= 1
        tally.cancels += 1
        // Sometimes both at once.
        let who = Int.random(in: 0..<3, using: &random)
        if who != 1 { client.change(course.id) { [now] in $0.cancel(reason: "enough", at: now) } }
        if who != 0 { server.change(course.id, at: now) { [now] in $0.cancel("enough", at: now) } }
        return true
    }

    private mutating func pause() -> Bool {
        guard let course = courses.randomElement(using: &random) else { return false }
        trouble.pauses -= 1
        let isPaused = trouble.pauses % 2 == 1
        if Bool.random(using: &random) {
            client.change(course.id) { [now] in isPaused ? $0.pause(at: now) : $0.resume(at: now) }
        } else {
            server.change(course.id, at: now) { [now] in $0.hold(isPaused, at: now) }
        }
        // Nobody stays paused for good.
        if trouble.pauses == 0 {
            for course in courses {
                client.change(course.id) { [now] in $0.resume(at: now) }
                server.change(course.id, at: now) { [now] in $0.hold(false, at: now) }
            }
        }
        return true
    }

    private mutating func control() -> Bool {
        guard isLinked, let course = courses.randomElement(using: &random) else { return false }
        client.change(course.id) { [now] in $0.control(["quality": "480p"], at: now) }
        return true
    }

    /// The client's process ends; another goes on with what the app had stored.
    private mutating func restart() -> Bool {
        trouble.restarts -= 1
        tally.restarts += 1
        if isLinked { unlink() }
        let old = client
        client = StreamTable(settings: settings)
        for place in courses.indices where courses[place].clientEnding == nil {
            let course = courses[place]
            guard let machine = old[course.id] else { continue }
            var opening = machine.opening
            opening.metadata = ["filename": "../../etc/q3.pdf"]
            courses[place].clientWantsAt = nil
            courses[place].clientPlace = 0
            courses[place].clientTakes = false
            // A stream both ways has two places, and cannot be gone on with.
            guard let position = machine.position else {
                courses[place].clientEnding = .cancelled(isRemote: false, reason: "the process ended")
                try? client.open(
                    StreamMachine(id: course.id, opening, position: .start, settings: settings, at: now),
                    at: now)
                client.change(course.id) { [now] in $0.cancel(at: now) }
                _ = client.takeOutputs()
                continue
            }
            courses[place].clientGot = Array(course.clientGot.prefix(Int(position.bytes)))
            var digest = DigestFunction.sha256.begin()
            courses[place].clientGot.withUnsafeBytes { digest.update($0) }
            let isKnown = machine.isKnown
            try? client.open(
                StreamMachine(
                    id: course.id, position.opening, isSeekable: true,
                    position: isKnown ? position.point : nil,
                    digest: isKnown ? digest : nil, settings: settings, at: now), at: now)
        }
        return true
    }

    // MARK: Rules

    private mutating func check() {
        for course in courses {
            if noise == .assault { continue }
            if course.serverOutcome == .completed, course.serverGot != course.up {
                fail("\(course.id) is complete at the server and lacks bytes")
            }
            if case .completed = course.clientEnding, course.clientGot != course.down {
                fail("\(course.id) is complete at the client and lacks bytes")
            }
            // Rule 19: what is kept anywhere stays within the credits.
            if usesChunkCredits, client[course.id]?.keptChunks ?? 0 > credits {
                fail("\(course.id): the client keeps more than \(credits) chunks")
            }
            if client[course.id]?.keptBytes ?? 0 > credits * chunkSize {
                fail("\(course.id): the client keeps more bytes than its window")
            }
            // What a source gave at once, and what has come or has not.
            if server[course.id]?.kept.bytes ?? 0 > (2 * credits + 3) * chunkSize {
                fail("\(course.id): the server keeps more bytes than its window")
            }
        }
    }

    /// Rule 20: when all is over, nothing is left, after one more link at the latest.
    private mutating func settleEnds() {
        guard broken == nil else { return }
        for _ in 0..<2 {
            if isLinked { unlink() }
            _ = link()
            perform()
            while !up.isEmpty || !down.isEmpty {
                _ = deliverUp()
                perform()
                _ = deliverDown()
                perform()
            }
        }
        if noise == .none, client.count > 0 || server.count > 0 { fail("streams are left") }
        if noise == .none, client.farewellCount > 0 { fail("the server has not confirmed an end") }
        guard noise != .assault else { return }
        for course in courses {
            switch (course.clientEnding, course.serverOutcome) {
            case (.completed?, .completed?): tally.completed += 1
            case (.completed?, _), (_, .completed?):
                // Who had everything may have been cancelled, or may have ended, before it said so.
                guard tally.cancels + tally.restarts == 0 else {
                    tally.cancelled += 1
                    continue
                }
                fail("\(course.id) is complete at one end")
            case (.cancelled?, _), (_, .cancelled?): tally.cancelled += 1
            case (.failed(let fault)?, _):
                tally.failed[fault.code.rawValue, default: 0] += 1
                // Nobody here breaks a rule, and what was sent and has not come is kept.
                fail("\(course.id) failed: \(fault.code.rawValue) \(fault.message)")
            // It was over before this end had heard of it.
            case (nil, nil): fail("\(course.id) has no end")
            case (nil, _): tally.cancelled += 1
            }
        }
        pass(until: now.advanced(by: .seconds(3_700)))
        if noise == .none, !server.isEmpty { fail("the server remembers ends for good") }
    }
}
