// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import SenteWire
import Testing

@Suite("The file of durable messages", .timeLimit(.minutes(5)))
struct OutboxFileTests {
    private typealias Folder = FileOutboxStoreTests.Folder

    private static func message(_ number: Int, bytes: Int = 0) -> StoredMessage {
        StoredMessage(
            id: "id-\(number)", clientID: "c",
            content: .publish(
                ["text": .string(String(repeating: "x", count: bytes))], channel: "news", excludeSender: false
            ))
    }

    private static func loaded(_ folder: Folder) throws -> StoredBacklog {
        try folder.store().load(for: "c")
    }

    private static func reason(_ folder: Folder) -> OutboxStoreError.Reason? {
        #expect(throws: OutboxStoreError.self) { try folder.store() }?.reason
    }

    // MARK: Damage

    @Test("What is cut off stands in a file beside it, as it was, and is told once")
    func putAside() throws {
        let folder = Folder()
        do {
            let store = try folder.store()
            for number in 0..<2 { try store.append(Self.message(number)) }
        }
        let torn = Array(try folder.bytes().dropLast(3))
        try folder.write(torn)
        do {
            let store = try folder.store()
            #expect(try store.load(for: "c").damage?.reason == .damaged)
            #expect(try store.load(for: "d").damage == nil)
        }
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: folder.file + ".damaged"))) == torn)
        let again = try Self.loaded(folder)
        #expect(again.messages == [Self.message(0)])
        #expect(again.damage == nil)
    }

    @Test("A message that was spoiled is gone from the file when it has been told")
    func spoiled() throws {
        let folder = Folder()
        do {
            let store = try folder.store()
            for number in 0..<3 { try store.append(Self.message(number)) }
        }
        var bytes = try folder.bytes()
        bytes[bytes.count / 2] ^= 0x55
        try folder.write(bytes)
        let first = try Self.loaded(folder)
        #expect(first.messages == [Self.message(0), Self.message(2)])
        #expect(first.damage?.reason == .damaged)
        let second = try Self.loaded(folder)
        #expect(second.messages == first.messages)
        #expect(second.damage == nil)
    }

    @Test("A damaged file that cannot be put aside is left as it is")
    func notPutAside() throws {
        let folder = Folder()
        do { try folder.store().append(Self.message(0)) }
        let torn = Array(try folder.bytes().dropLast())
        try folder.write(torn)
        try FileManager.default.createDirectory(
            atPath: folder.file + ".damaged", withIntermediateDirectories: false)
        #expect(Self.reason(folder) == .failed)
        #expect(try folder.bytes() == torn)
    }

    @Test("A file that cannot be written anew goes on as it is, without what was torn")
    func notRewritten() throws {
        let folder = Folder()
        do {
            let store = try folder.store()
            try store.append(Self.message(0))
            try store.append(Self.message(1, bytes: 1_000))
        }
        try folder.write(Array(try folder.bytes().dropLast()))
        // A folder stands where the new file would.
        try FileManager.default.createDirectory(
            atPath: folder.file + ".new", withIntermediateDirectories: false)
        do {
            let store = try folder.store()
            #expect(try store.load(for: "c").damage?.reason == .damaged)
            try store.append(Self.message(2))
        }
        do {
            let store = try folder.store()
            let backlog = try store.load(for: "c")
            #expect(backlog.messages == [Self.message(0), Self.message(2)])
            #expect(backlog.damage == nil)
            try store.remove("id-0", .acknowledged, error: nil)
        }
        // What is done stays in the file, and why is told.
        let backlog = try Self.loaded(folder)
        #expect(backlog.messages == [Self.message(2)])
        #expect(backlog.damage?.reason == .failed)
    }

    @Test("What is no file is refused as foreign")
    func noFile() throws {
        let folder = Folder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        #expect(mkfifo(folder.file, 0o600) == 0)
        #expect(Self.reason(folder) == .foreign)
    }

    // MARK: Written anew

    @Test("It is written anew when it is large and more is done than waits four times over, and not before")
    func rewrites() throws {
        let folder = Folder()
        let store = try folder.store()
        func comeAndGo(_ number: Int) throws {
            try store.append(Self.message(number))
            try store.remove("id-\(number)", .acknowledged, error: nil)
        }
        // Each leaves an empty file, whose records count from none.
        for number in 0..<20 { try comeAndGo(number) }
        for number in 100..<104 { try store.append(Self.message(number, bytes: 300_000)) }
        let live = try folder.bytes().count
        for round in 1...2 {
            var before = live
            // Four that wait, two records for each that comes and goes: more than sixteen at the seventh.
            for number in 0..<6 {
                try comeAndGo(number)
                let now = try folder.bytes().count
                #expect(now > before, "\(round), \(number)")
                before = now
            }
            try comeAndGo(6)
            #expect(try folder.bytes().count == live, "\(round)")
        }
        try store.append(Self.message(104))
        let bytes = try folder.bytes()
        let copy = Folder()
        try copy.write(bytes)
        let backlog = try Self.loaded(copy)
        #expect(backlog.messages.map(\.id) == (100...104).map { "id-\($0)" })
        #expect(backlog.damage == nil)
    }

    @Test("What was read when it was opened counts among its records")
    func countsRead() throws {
        let folder = Folder()
        do {
            let store = try folder.store()
            for number in 0..<5 { try store.append(Self.message(number, bytes: 300_000)) }
        }
        let store = try folder.store()
        for number in 0..<3 { try store.remove("id-\(number)", .acknowledged, error: nil) }
        #expect(try folder.bytes().count > 1_500_000)
        try store.remove("id-3", .acknowledged, error: nil)
        #expect(try folder.bytes().count < 400_000)
    }

    @Test("A small file grows, whatever is done of it")
    func smallGrows() throws {
        let folder = Folder()
        let store = try folder.store()
        try store.append(Self.message(0))
        var before = try folder.bytes().count
        for number in 1..<20 {
            try store.append(Self.message(number))
            try store.remove("id-\(number)", .acknowledged, error: nil)
            let now = try folder.bytes().count
            #expect(now > before)
            before = now
        }
    }

    @Test("What a process left of a file that was to be the new one is written over, and the lock is kept")
    func leftover() throws {
        let folder = Folder()
        do {
            let store = try folder.store()
            for number in 0..<3 { try store.append(Self.message(number)) }
            try store.remove("id-0", .acknowledged, error: nil)
        }
        let before = try folder.bytes().count
        try Data(repeating: 0x55, count: 100_000).write(to: URL(fileURLWithPath: folder.file + ".new"))
        do {
            let store = try folder.store()
            #expect(try folder.bytes().count < before)
            #expect(Self.reason(folder) == .inUse)
            for number in 3..<6 { try store.append(Self.message(number)) }
            #expect(try store.load(for: "c").messages.map(\.id) == (1..<6).map { "id-\($0)" })
        }
        let backlog = try Self.loaded(folder)
        #expect(backlog.messages.map(\.id) == (1..<6).map { "id-\($0)" })
        #expect(backlog.damage == nil)
    }

    @Test("A folder whose file cannot be opened is free again")
    func freeAgain() throws {
        let folder = Folder()
        try FileManager.default.createDirectory(atPath: folder.file, withIntermediateDirectories: true)
        #expect(Self.reason(folder) == .failed)
        try FileManager.default.removeItem(atPath: folder.file)
        #expect(try Self.loaded(folder).messages.isEmpty)
    }

    @Test("Nobody else may read what waits, after it was written anew too")
    func permissions() throws {
        let folder = Folder()
        for _ in 0..<2 {
            let store = try folder.store()
            for name in ["lock", "outbox"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
                #expect(attributes[.posixPermissions] as? Int == 0o600)
            }
            for number in 0..<2 { try store.append(Self.message(number)) }
            try store.remove("id-0", .acknowledged, error: nil)
        }
    }

    #if compiler(>=6.2)
    @Test("A folder is free at once, though a process that is being started has copies of all descriptors")
    func copies() async throws {
        await #expect(processExitsWith: .success) {
            do {
                let folder = FileOutboxStoreTests.Folder()
                var store: FileOutboxStore? = try folder.store()
                guard store != nil else { exit(2) }
                for number in 3..<64 as Range<Int32> where fcntl(number, F_GETFD) != -1 { _ = dup(number) }
                store = nil
                guard (try? folder.store()) != nil else { exit(3) }
            }
            exit(0)
        }
    }
    #endif
}
