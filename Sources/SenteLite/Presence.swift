// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Who is present in a channel, and one's own place among them.
///
/// ```swift
/// let presence = try await client.presence(in: "room", as: Person.self)
/// try presence.enter(Person(name: "Ann"))
/// for await change in presence.changes {
///     print(change.members.count, "present,", change.joined.count, "new")
/// }
/// ```
///
/// Clients do all of it among themselves, by messages on a channel of its own. Whoever is present says so within each
/// heartbeat (`PresenceSettings`), and after every reconnect; whoever is silent for longer than the expiry, or leaves, is gone.
/// So it is as honest as those who take part: a member is a claim, not proof of who somebody is.
///
/// It keeps its client. Dropping it, or `cancel()`, leaves and ends its sequences.
public final class Presence<T: Codable & Sendable>: Sendable {
    /// Somebody who is present.
    public struct Member: Identifiable, Sendable {
        /// A random name, another one for each ``Presence`` object; it stays over reconnects.
        public let id: String
        /// Whether it is this presence's own.
        public let isSelf: Bool
        /// What it says of itself, as it came.
        public let data: Value
        /// What it says of itself; an error where it is no `T`.
        public let value: Result<T, SenteError>
        let revision: UInt64

        /// What it says of itself.
        ///
        /// - Throws: `decodingFailed` where that is no `T`.
        public func get() throws(SenteError) -> T { try value.get() }
    }

    /// Who is present now, and what has changed since the loop's last element.
    public struct Change: Sendable {
        /// All who are present, in the order in which they came.
        public var members: [Member]
        /// Those who are new; in a loop's first element all.
        public var joined: [Member]
        /// Those who say something else of themselves.
        public var updated: [Member]
        /// Those who have gone, with what they said last.
        public var left: [Member]
        /// Whether the client is connected; while it is not, nobody can be seen to come or go.
        public var isCurrent: Bool
    }

    /// The channel that carries it.
    public let channel: String
    private let settings: PresenceSettings
    private let source: any PresenceSource

    package init(_ channel: String, _ settings: PresenceSettings, _ source: any PresenceSource) {
        self.channel = channel
        self.settings = settings
        self.source = source
    }

    deinit {
        source.close()
    }

    /// Becomes present, or says something else of itself.
    ///
    /// It holds until `leave()`, over reconnects: the others hear of it at once while the client is open, else when it is.
    ///
    /// - Throws: `unencodable`, and `messageTooLarge` for more than `PresenceSettings.maximumBytes`.
    public func enter(_ data: T) throws(SenteError) {
        source.enter(try encoded(data))
    }

    /// Says something else of itself; nothing happens where it is not present.
    ///
    /// What changes more often than ten times a second is told ten times a second, the latest last.
    ///
    /// - Throws: What `enter` throws.
    public func update(_ data: T) throws(SenteError) {
        source.update(try encoded(data))
    }

    /// Is present no longer, and returns when the server was told, or cannot be.
    ///
    /// Call it before `disconnect()`: those whom nobody tells wait for the expiry.
    public func leave() async {
        await source.leave()
    }

    /// Leaves, and ends the sequences of `changes`.
    public func cancel() {
        source.close()
    }

    /// Who is present now, in the order in which they came.
    public var members: [Member] { source.snapshot.members.map(decoded) }

    /// Who is present and who comes and goes, for any number of consumers.
    ///
    /// Each loop gets the members of its start first. One that does not keep up gets fewer elements, each with all that has
    /// changed since its last one.
    public var changes: Changes { Changes(presence: self) }

    private func encoded(_ data: T) throws(SenteError) -> Value {
        do throws(SenteError) {
            let value = try Value(encoding: data)
            guard value.weight > settings.maximumBytes else { return value }
            throw SenteError(
                .messageTooLarge,
                "What a member says of itself may weigh \(settings.maximumBytes) bytes, and this weighs \(value.weight): "
                    + "say less, or give all members a larger `maximumBytes`.",
                outcome: .notSent)
        } catch {
            source.refused(error)
            throw error
        }
    }

    private func decoded(_ member: PresenceSnapshot.Member) -> Member {
        let value: Result<T, SenteError>
        do throws(SenteError) {
            value = .success(try member.data.decoded(as: T.self))
        } catch {
            value = .failure(error)
        }
        return Member(
            id: member.id, isSelf: member.isSelf, data: member.data, value: value, revision: member.revision)
    }
}

/// What is behind a presence: a client's, or a stub's.
package protocol PresenceSource: AnyObject, Sendable {
    var snapshot: PresenceSnapshot { get }
    /// The latest snapshot, and each later one that is the latest when it is taken.
    func makeIterator() -> MailboxIterator<PresenceSnapshot>
    func enter(_ data: Value)
    func update(_ data: Value)
    /// Returns when what was said because of it has left.
    func leave() async
    /// Leaves, and ends the sequences.
    func close()
    /// Counts an error that the app is told.
    func refused(_ error: SenteError)
}

extension Presence {
    /// The changes of a presence, as a sequence.
    ///
    /// It goes on over reconnects, and ends with its presence's `cancel()`; a loop ends when its task is cancelled. It keeps
    /// its presence.
    public struct Changes: AsyncSequence, Sendable {
        /// What it yields.
        public typealias Element = Change
        /// The sequence never fails.
        public typealias Failure = Never

        let presence: Presence

        /// Starts with all who are present.
        public func makeAsyncIterator() -> Iterator { Iterator(presence) }

        /// Takes changes one by one.
        public struct Iterator: AsyncIteratorProtocol {
            /// Taking never fails.
            public typealias Failure = Never

            private let presence: Presence
            private var snapshots: MailboxIterator<PresenceSnapshot>
            private var seen: [Member] = []

            init(_ presence: Presence) {
                self.presence = presence
                snapshots = presence.source.makeIterator()
            }

            /// The next change; nil when the sequence is over or the task was cancelled.
            public mutating func next() async -> Change? {
                await snapshots.next().map { change(to: $0) }
            }

            /// The next change, without leaving the caller's actor.
            @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
            public mutating func next(isolation actor: isolated (any Actor)?) async -> Change? {
                await snapshots.next(isolation: actor).map { change(to: $0) }
            }

            /// What is decoded already is not decoded again.
            private mutating func change(to snapshot: PresenceSnapshot) -> Change {
                var before = Dictionary(seen.map { ($0.id, $0) }) { $1 }
                var change = Change(
                    members: [], joined: [], updated: [], left: [], isCurrent: snapshot.isCurrent)
                for member in snapshot.members {
                    let known = before.removeValue(forKey: member.id)
                    if let known, known.revision == member.revision {
                        change.members.append(known)
                        continue
                    }
                    let member = presence.decoded(member)
                    if case .failure(let error) = member.value { presence.source.refused(error) }
                    change.members.append(member)
                    if known == nil { change.joined.append(member) } else { change.updated.append(member) }
                }
                change.left = seen.filter { before[$0.id] != nil }
                seen = change.members
                return change
            }
        }
    }
}
