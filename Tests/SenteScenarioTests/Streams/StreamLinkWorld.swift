// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// A whole client and a whole server that move bytes by streams, in a dialect, over links that break.
///
/// What is of interest are the words as the dialects spell them, what was agreed on, and chunks among messages; the rules of
/// streams themselves are held by `StreamWorld`.
struct StreamLinkWorld: ~Copyable {
    struct Setup {
        var dialect = Dialect.senteLiteMaps
        var usesBinary = true
        var resumes = true
        var cuts = 0
    }

    let upload: [UInt8]
    let download: [UInt8]
    private(set) var uploaded: [UInt8] = []
    private(set) var downloaded: [UInt8] = []
    private(set) var endings: [String: StreamEnding] = [:]
    private(set) var outcomes: [String: ServerStream.Outcome] = [:]
    /// The answers to what was asked meanwhile.
    private(set) var answers = 0
    private(set) var problems: [String] = []
    private(set) var features: FlowFeatures?
    /// All that went over links, for tests of how it is spelled.
    private(set) var sent: [Message] = []

    private var random: Generator
    private let setup: Setup
    private var cutsLeft: Int
    private var now = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wallMilliseconds: 1_700_000_000_000)
    private var client: ClientEngine
    private var server: ServerSession
    private var link: LinkID?
    private var connection = ConnectionID(0)
    private var toServer: [Message] = []
    private var toClient: [Message] = []
    private var awaitsRoom = false
    private var lastCall: UInt64 = 0
    /// The messages that the link has not written yet.
    private var unwritten: [SendID] = []

    init(seed: UInt64, _ setup: Setup) {
        self.setup = setup
        cutsLeft = setup.cuts
        random = Generator(seed: seed)
        upload = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        download = (0..<15_000).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 2) }
        var configuration = SessionConfiguration()
        configuration.flow.usesBinaryEnvelope = setup.usesBinary
        configuration.flow.streaming = StreamingPolicy(chunkSize: 1_024, flowControl: .credits(4))
        if !setup.resumes { configuration.flow.resumption = nil }
        let detector = DialectDetector()
        client = ClientEngine(configuration: configuration, random: Generator(seed: seed ^ 1)) {
            (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes)
        }
        let family: ServerConfiguration.Dialect =
            switch setup.dialect {
            case .senteLiteMaps: .maps
            case .senteLiteVectors: .vectors
            case .sente, .nats: .sente
            }
        var served = ServerConfiguration(family)
        var policy = StreamPolicy()
        policy.chunkSize = 1_024
        policy.window = .chunks(4)
        served.flow.streaming = policy
        served.flow.usesBinaryEnvelope = setup.usesBinary
        if setup.resumes { served.flow.resumption = ServerConfiguration.Flow.Resumption() }
        served.answeringChannels = ["echo"]
        server = ServerSession(served, seed: seed ^ 2)
    }

    // MARK: The run

    /// Both ways at once, and questions meanwhile; false when it does not come to an end.
    mutating func run() -> Bool {
        command(.connect(CallID(1), limit: nil))
        command(
            .stream(
                "up",
                .open(
                    StreamOpening(
                        kind: .upload, number: 0, channel: "reports", chunkSize: 1_024,
                        totalSize: UInt64(upload.count), metadata: ["filename": "q3.pdf"]),
                    isSeekable: true, startsOver: false)))
        var isDownloadOpen = false
        for _ in 0..<200_000 where problems.isEmpty {
            if endings.count == 2, outcomes.count == 2 { return true }
            if features?.streaming == true, !isDownloadOpen {
                isDownloadOpen = true
                openDownload()
            }
            self.step()
        }
        return false
    }

    private mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6: carryToServer()
        case 6..<12: carryToClient()
        case 12..<14: giveRoom()
        case 14..<16: write()
        case 16: if Int.random(in: 0..<10, using: &random) == 0 { ask() }
        case 17: if cutsLeft > 0, Int.random(in: 0..<60, using: &random) == 0 { cut() }
        default: pass(.milliseconds(Int.random(in: 1...40, using: &random)))
        }
    }

    private mutating func pass(_ duration: Duration) {
        now.instant = now.instant.advanced(by: duration)
        now.wallMilliseconds += duration.wholeMilliseconds
        if let due = client.deadline, due <= now.instant { feed(.timerFired) }
        if let due = server.deadline, due <= now.instant { serve(.timerFired) }
    }

    private mutating func ask() {
        guard setup.dialect == .senteLiteMaps else { return }
        lastCall += 1
        command(
            .submit(
                CallID(10 + lastCall),
                Submission(
                    .request(channel: "echo", data: ["greeting": "hello"], limit: 60_000),
                    limit: .seconds(100), awaits: .reply)))
    }

    // MARK: Links

    private mutating func carryToServer() {
        guard link != nil, !toServer.isEmpty else { return }
        let message = toServer.removeFirst()
        sent.append(message)
        serve(.received(connection, message))
    }

    private mutating func carryToClient() {
        guard let link, !toClient.isEmpty else { return }
        let message = toClient.removeFirst()
        sent.append(message)
        report([.received([message])], of: link)
    }

    private mutating func giveRoom() {
        guard awaitsRoom, toClient.count < 8 else { return }
        awaitsRoom = false
        serve(.room(connection))
    }

    private mutating func write() {
        guard let link, !unwritten.isEmpty, toServer.count < 8 else { return }
        let ids = unwritten
        unwritten = []
        report([.wrote(ids)], of: link)
    }

    private mutating func cut() {
        guard let link else { return }
        cutsLeft -= 1
        for _ in 0..<Int.random(in: 0...toServer.count, using: &random) { carryToServer() }
        self.link = nil
        toServer = []
        toClient = []
        unwritten = []
        awaitsRoom = false
        serve(.closed(connection))
        report([.closed(.failed(LinkFailure(.lost, "The line went dead.")))], of: link)
    }

    // MARK: The client

    private mutating func command(_ command: Command) { feed(.command(command)) }

    private mutating func feed(_ input: Input) {
        var effects: [Effect] = []
        client.handle(input, at: now, into: &effects)
        perform(effects)
    }

    private mutating func report(_ reports: [LinkReport], of id: LinkID) {
        var effects: [Effect] = []
        client.handle(reports, of: id, at: now, into: &effects)
        perform(effects)
    }

    private mutating func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .openLink(let id, _):
                connection = ConnectionID(connection.number + 1)
                link = id
                report([.opened(LinkOpening())], of: id)
                serve(.connected(connection, HandshakeInfo(clientID: "me")))
            case .transmit(let id, let batch):
                guard id == link else { continue }
                toServer += batch.map(\.message)
                unwritten += batch.map(\.id)
            case .closeLink, .abandonLink: problems.append("the client ends the link")
            case .resolve(let call, let result):
                guard call.number > 10 else { continue }
                if case .success = result { answers += 1 } else { problems.append("\(result)") }
            case .publish(let status): features = status.features
            case .stream(let output): perform(output)
            default: break
            }
        }
    }

    private mutating func perform(_ output: StreamTable.Output) {
        switch output.effect {
        case .offered(let opening):
            if opening.channel != "exports" || opening.metadata["format"] != "csv" {
                problems.append("another stream was offered: \(opening)")
            }
            command(.stream(output.id, .accept(isSeekable: false, startsOver: false)))
        case .wantsBytes, .seek: give(output)
        case .hasPieces: take(output.id)
        case .ended(let ending): endings[output.id] = ending
        case .say, .started, .startsOver, .control, .changed, .progress: break
        }
    }

    private var place: UInt64 = 0

    private mutating func give(_ output: StreamTable.Output) {
        if case .seek(let place) = output.effect { return self.place = place }
        let rest = upload.dropFirst(Int(place))
        let at = place
        guard !rest.isEmpty else { return command(.stream("up", .finish(at: at))) }
        let piece = rest.prefix(3_000)
        place += UInt64(piece.count)
        command(.stream("up", .provide(piece, at: at)))
    }

    private mutating func take(_ id: String) {
        while true {
            var effects: [Effect] = []
            guard case .piece(let piece) = client.takePiece(of: id, at: now, into: &effects) else {
                perform(effects)
                break
            }
            downloaded += piece.bytes
            perform(effects)
        }
        if downloaded.count == download.count { command(.stream(id, .confirm(.null))) }
    }

    // MARK: The server

    private mutating func openDownload() {
        let offer = StreamOffer(
            .download, channel: "exports", chunkSize: 1_024, metadata: ["format": "csv"])
        var effects: [ServerEffect] = []
        if server.openStream(offer, id: "down", to: connection, at: now, into: &effects) == nil {
            problems.append("the server opens no stream")
        }
        perform(effects)
    }

    private mutating func serve(_ input: ServerInput) {
        var effects: [ServerEffect] = []
        server.handle(input, at: now, into: &effects)
        perform(effects)
    }

    private mutating func perform(_ effects: [ServerEffect]) {
        for effect in effects {
            switch effect {
            case .send(connection, let message): if link != nil { toClient.append(message) }
            case .close(connection, _, let reason, _): problems.append("the server closes: \(reason)")
            case .awaitRoom(connection): awaitsRoom = true
            case .stream(_, let name, let event): perform(event, of: name)
            default: break
            }
        }
    }

    private mutating func change(_ name: StreamName, _ body: (inout ServerStream, Instant) -> Void) {
        var effects: [ServerEffect] = []
        let instant = now.instant
        _ = server.changeStream(name, at: now, into: &effects) { body(&$0, instant) }
        perform(effects)
    }

    private mutating func perform(_ event: ServerStream.Event, of name: StreamName) {
        switch event {
        case .offered: change(name) { $0.accept(at: $1) }
        case .wants(let place):
            let rest = download.dropFirst(Int(place)).prefix(2_500)
            change(name) {
                if rest.isEmpty { $0.end(at: place, now: $1) } else { $0.give(rest, at: place, now: $1) }
            }
        case .hasParts:
            var parts: [ArraySlice<UInt8>] = []
            change(name) { stream, now in
                while let part = stream.take(at: now) { parts.append(part) }
                if stream.isTaken { stream.confirm(["id": 9], at: now) }
            }
            uploaded += parts.joined()
        case .over(let outcome): outcomes[name.id] = outcome
        case .say, .accepted, .control: break
        }
    }
}
