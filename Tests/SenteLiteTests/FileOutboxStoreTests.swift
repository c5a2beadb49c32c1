// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteWire
import Testing

@Suite("FileOutboxStore", .timeLimit(.minutes(5)))
struct FileOutboxStoreTests {
    /// A folder that goes with the test.
    final class Folder {
        let path = NSTemporaryDirectory() + "sente-outbox-" + UUID().uuidString
        var file: String { path + "/outbox" }

        func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file))) }
        func write(_ bytes: [UInt8]) throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: file))
        }
        func store() throws(OutboxStoreError) -> FileOutboxStore {
            try FileOutboxStore(directory: path, synchronizes: false)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    static func message(_ number: Int, of client: String = "c") -> StoredMessage {
        StoredMessage(
            id: "id-\(number)", clientID: client,
            content: .publish(["n": Value(number)], channel: "news", excludeSender: number % 2 == 0))
    }

    private static func ids(_ store: FileOutboxStore, of client: String = "c") throws -> [String] {
        try store.load(for: client).messages.map(\.id)
    }

    private static func reason(_ body: () throws -> Void) -> OutboxStoreError.Reason? {
        do {
            try body()
            return nil
        } catch {
            return (error as? OutboxStoreError)?.reason
        }
    }

    @Test("What was appended and not removed is there again, in order, as it was")
    func keeps() throws {
        let folder = Folder()
        let contents: [StoredMessage.Content] = [
            .publish(["a": [1, 2.5, nil, true, .bytes([0, 255])]], channel: "näws", excludeSender: true),
            .request(["q": .keyword("a/b")], channel: "sum", limit: 5_000),
            .event(Event(id: "chat/say", data: ["text": "hello"]), wantsReply: true),
            .event(Event(id: "chat/typing", data: .null), wantsReply: false),
        ]
        let messages = zip(contents, SendOptions.Priority.allCases + [.normal]).enumerated().map {
            StoredMessage(id: "m\($0.offset)", clientID: "c", content: $0.element.0, priority: $0.element.1)
        }
        do {
            let store = try folder.store()
            for message in messages { try store.append(message) }
            try store.append(Self.message(9, of: "other"))
            try store.remove("m1", .acknowledged, error: nil)
        }
        let store = try folder.store()
        let backlog = try store.load(for: "c")
        #expect(backlog.messages == [messages[0], messages[2], messages[3]])
        #expect(backlog.damage == nil)
        #expect(try Self.ids(store, of: "other") == ["id-9"])
    }

    @Test("A file cut at any byte has every message that is whole, says what is missing, and goes on")
    func tornAnywhere() throws {
        let folder = Folder()
        var ends: [Int] = []
        do {
            let store = try folder.store()
            ends.append(try folder.bytes().count)
            for number in 0..<3 {
                try store.append(Self.message(number))
                ends.append(try folder.bytes().count)
            }
        }
        let whole = try folder.bytes()
        for length in 0...whole.count {
            try folder.write(Array(whole.prefix(length)))
            let survivors = ends.dropFirst().filter { $0 <= length }.count
            do {
                let store = try folder.store()
                let backlog = try store.load(for: "c")
                #expect(backlog.messages.map(\.id) == (0..<survivors).map { "id-\($0)" })
                #expect((backlog.damage == nil) == (length < ends[0] || ends.contains(length)))
                try store.append(Self.message(7))
            }
            #expect(try Self.ids(try folder.store()) == (0..<survivors).map { "id-\($0)" } + ["id-7"])
        }
    }

    @Test("One spoiled byte costs one message at most that stands before the end")
    func spoiled() throws {
        let folder = Folder()
        do {
            let store = try folder.store()
            for number in 0..<3 { try store.append(Self.message(number)) }
        }
        let whole = try folder.bytes()
        let record = (whole.count - 15) / 3
        for position in (15 + 4)..<(15 + record) {
            var bytes = whole
            bytes[position] ^= 0x55
            try folder.write(bytes)
            let backlog = try folder.store().load(for: "c")
            #expect(backlog.messages.map(\.id) == ["id-1", "id-2"])
            #expect(backlog.damage?.reason == .damaged)
        }
    }

    @Test("A file of another kind is refused and left as it is")
    func foreign() throws {
        let folder = Folder()
        let letter = Array("Dear diary, this is none of your messages.".utf8)
        try folder.write(letter)
        #expect(Self.reason { _ = try folder.store() } == .foreign)
        #expect(try folder.bytes() == letter)
    }

    @Test("One store at a time has a folder, and one client an id")
    func inUse() throws {
        let folder = Folder()
        let store = try folder.store()
        #expect(Self.reason { _ = try folder.store() } == .inUse)
        _ = try store.load(for: "c")
        #expect(Self.reason { _ = try store.load(for: "c") } == .inUse)
        store.unload("c")
        #expect(Self.reason { _ = try store.load(for: "c") } == nil)
    }

    @Test("Many messages that come and go leave a small file, and the outcomes are told")
    func comesAndGoes() async throws {
        let folder = Folder()
        let store = try folder.store()
        var outcomes = store.outcomes.makeAsyncIterator()
        try store.append(Self.message(0))
        for number in 1...20_000 {
            try store.append(Self.message(number))
            try store.remove("id-\(number)", .acknowledged, error: nil)
        }
        #expect(try folder.bytes().count < 2 << 20)
        #expect(try Self.ids(store) == ["id-0"])
        try store.remove("id-0", .unknown, error: nil)
        #expect(try folder.bytes().count == 15)
        var last = await outcomes.next()
        while let next = last, next.message.id != "id-0" { last = await outcomes.next() }
        #expect(last == StoredOutcome(message: Self.message(0), outcome: .unknown))
    }
}

#if compiler(>=6.2)
/// What a process does to its store when it ends, or when it may write no more.
@Suite("FileOutboxStore, in a process of its own", .timeLimit(.minutes(5)))
struct FileOutboxStoreProcessTests {
    /// A folder that this process and those it starts know.
    private static func folder(_ name: String, of process: Int32) -> String {
        NSTemporaryDirectory() + "sente-outbox-\(name)-\(process)"
    }

    @Test("A process that is killed leaves all that it had appended, and its lock")
    func killed() async throws {
        let path = Self.folder("killed", of: getpid())
        defer { try? FileManager.default.removeItem(atPath: path) }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let store = try FileOutboxStore(directory: Self.folder("killed", of: getppid()))
            for number in 0..<50 { try store.append(FileOutboxStoreTests.message(number)) }
            try store.remove("id-0", .acknowledged, error: nil)
            kill(getpid(), SIGKILL)
        }
        let backlog = try FileOutboxStore(directory: path).load(for: "c")
        #expect(backlog.messages.map(\.id) == (1..<50).map { "id-\($0)" })
        #expect(backlog.damage == nil)
    }

    @Test("A disk that is full refuses the message, and loses none that was kept")
    func full() async throws {
        let path = Self.folder("full", of: getpid())
        defer { try? FileManager.default.removeItem(atPath: path) }
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let store = try FileOutboxStore(directory: Self.folder("full", of: getppid()))
            var limit = rlimit()
            getrlimit(fileSizeLimit, &limit)
            limit.rlim_cur = 1_000
            guard setrlimit(fileSizeLimit, &limit) == 0 else { exit(2) }
            func size() throws -> Int? {
                let file = Self.folder("full", of: getppid()) + "/outbox"
                return try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
            }
            var kept = 0
            var whole: Int?
            var refusal: OutboxStoreError.Reason?
            while refusal == nil, kept < 1_000 {
                whole = try size()
                do throws(OutboxStoreError) {
                    try store.append(FileOutboxStoreTests.message(kept))
                    kept += 1
                } catch {
                    refusal = error.reason
                }
            }
            guard refusal == .full, kept > 2, store.count == kept else { exit(3) }
            // What was written of the one that did not fit is gone.
            guard try size() == whole else { exit(5) }
            limit.rlim_cur = limit.rlim_max
            guard setrlimit(fileSizeLimit, &limit) == 0 else { exit(4) }
            try store.append(FileOutboxStoreTests.message(kept))
            exit(0)
        }
        let store = try FileOutboxStore(directory: path)
        let backlog = try store.load(for: "c")
        #expect(backlog.messages.count > 3)
        #expect(backlog.messages.map(\.id) == (0..<backlog.messages.count).map { "id-\($0)" })
        #expect(backlog.damage == nil)
    }
}

#if canImport(Glibc)
/// glibc's functions take a type of their own for it.
private let fileSizeLimit = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
#else
private let fileSizeLimit = RLIMIT_FSIZE
#endif
#endif
