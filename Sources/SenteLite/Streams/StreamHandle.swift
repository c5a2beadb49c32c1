// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport
import SenteWire

/// The app's end of one stream: what the driver brings of it, and the tasks that wait for that.
///
/// A source gives bytes when the stream wants some, and a consumer takes a piece at a time, which is the credit of whoever sends
/// them. Every wait ends with the stream at the latest, so a task that is cancelled while it waits has only to call the stream off.
final class StreamHandle: Sendable {
    /// What a consumer gets.
    enum Arrival: Sendable {
        case piece(StreamPiece)
        /// All of it comes again: what was taken is to be thrown away.
        case startsOver
        /// There is no more.
        case everything
    }

    /// How a consumer goes about it.
    struct Consumption {
        /// It can throw away what it took, and take all of it again.
        var startsOver = false
        /// Of what lies before the place where it begins.
        var digest: (any IncrementalDigest)?
    }

    typealias Start = @Sendable (StreamHandle, Consumption) -> SubmissionQueue.Entry

    fileprivate enum Supply: Sendable {
        /// There may be something to take.
        case possible
        /// The driver was asked.
        case asked
        /// The driver will say when something has come.
        case awaited
    }

    fileprivate struct State: Sendable {
        var result: Result<StreamReceipt, SenteError>?
        var isAccepted = false
        var isCancelled = false
        var isPaused = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        // The source
        var isWanted = false
        /// Where it goes on.
        var place: UInt64 = 0
        var isFinished = false
        var feeder: Task<Void, Never>?
        // The consumer
        /// What is posted when somebody begins to consume it; nil from then on.
        var start: Start?
        var supply = Supply.possible
        var arrivals: [Arrival] = []
        /// What lies before it the consumer has had, and has done with.
        var handed: StreamPoint
        var done: StreamPoint
        var latest: StreamProgress
    }

    let id: String
    let opening: StreamOpening
    let controls = BoundedMailbox<Value>(bounded: BoundedQueue(latest: 1_024))
    private let progress: Broadcast<StreamProgress>
    private let submissions: SubmissionQueue
    private let state: LockedValue<State>

    /// With a point, one that goes on from there.
    init(
        _ id: String, _ opening: StreamOpening, at point: StreamPoint = .start, _ submissions: SubmissionQueue
    ) {
        self.id = id
        self.opening = opening
        self.submissions = submissions
        let beginning = StreamProgress(of: id, opening)
        progress = Broadcast(BoundedQueue(latest: 1), current: beginning)
        state = LockedValue(State(handed: point, done: point, latest: beginning))
    }

    /// One that is opened, or taken, only when somebody begins to consume it.
    func startsLater(_ start: @escaping Start) { state.withLock { $0.start = start } }

    // MARK: The driver, on the loop

    func perform(_ effect: StreamEffect) {
        switch effect {
        case .wantsBytes: change { $0.isWanted = true }
        case .seek(let place):
            change { state in
                state.place = place
                state.isWanted = false
                state.isFinished = false
            }
        case .hasPieces:
            change { state in if state.supply == .awaited { state.supply = .possible } }
        case .startsOver:
            change { state in
                state.arrivals = [.startsOver]
                state.handed = .start
            }
        case .control(let data): controls.put(data)
        case .started: change { $0.isAccepted = true }
        case .progress(let latest):
            state.withLock { $0.latest = latest }
            progress.send([latest])
        case .ended(let ending): end(ending.result)
        case .say, .offered, .changed: break
        }
    }

    /// The answer to `take`.
    func receive(_ take: StreamTake) {
        change { state in
            switch take {
            case .piece(let piece):
                state.supply = .possible
                state.arrivals.append(.piece(piece))
            case .nothing: state.supply = .awaited
            case .everything:
                state.supply = .awaited
                state.arrivals.append(.everything)
            }
        }
    }

    /// Nothing happens to it any more; only the first time counts.
    func end(_ result: Result<StreamReceipt, SenteError>) {
        let feeder = state.withLock { state in
            if state.result == nil {
                var result = result
                if case .failure(var error) = result, error.code == .cancelled, !state.isCancelled {
                    // Not by whoever has the stream: the client was disconnected.
                    error.code = .disconnected
                    result = .failure(error)
                }
                state.result = result
                state.arrivals = []
            }
            defer { state.feeder = nil }
            return state.feeder
        }
        feeder?.cancel()
        change { _ in }
        progress.finish()
        controls.finish()
    }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: Waiting

    /// Waits until `look` finds something; the end is to be something that it finds.
    private func first<Found: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ look: (inout State) -> Found?
    ) async -> Found {
        await withTaskCancellationHandler {
            while true {
                var found: Found?
                await withCheckedContinuation(isolation: isolation) { continuation in
                    found = state.withLock { state in
                        if let found = look(&state) { return found }
                        state.waiters.append(continuation)
                        return nil
                    }
                    if found != nil { continuation.resume() }
                }
                if let found { return found }
            }
        } onCancel: {
            cancel(reason: nil)
        }
    }

    /// Waits until the server has accepted it.
    func accepted() async throws(SenteError) {
        let failure = await first { state -> SenteError?? in
            if case .failure(let error)? = state.result { return .some(error) }
            return state.isAccepted ? .some(nil) : nil
        }
        if let failure { throw failure }
    }

    /// What the receiver said to everything.
    var value: StreamReceipt {
        get async throws(SenteError) { try await first(\.result).get() }
    }

    // MARK: The source

    /// Where the source is to go on, as soon as something is wanted of it; nil when nothing will be.
    ///
    /// A source that can go back may have to, after its end.
    func demand(goesBack: Bool = false) async -> UInt64? {
        await first { state -> UInt64?? in
            if state.result != nil || state.isFinished && !goesBack { return .some(nil) }
            return state.isWanted && !state.isFinished ? .some(state.place) : nil
        }
    }

    /// Gives bytes for a place; what was wanted there may not be wanted any more.
    ///
    /// Where they are none, something is wanted still.
    func give(_ bytes: ArraySlice<UInt8>, at place: UInt64) {
        guard !bytes.isEmpty else { return }
        state.withLock { state in
            guard state.isWanted, state.place == place else { return }
            state.isWanted = false
            state.place += UInt64(bytes.count)
            submissions.post(.stream(id, .provide(bytes, at: place)))
        }
    }

    /// There are no bytes any more.
    func finish() {
        state.withLock { state in
            guard !state.isFinished, state.result == nil else { return }
            state.isFinished = true
            submissions.post(.stream(id, .finish(at: state.place)))
        }
    }

    /// Runs what feeds it; that ends with the stream.
    func feed(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            if state.result == nil { state.feeder = task }
            return state.result != nil
        }
        if isOver { task.cancel() }
    }

    /// Writes when it is wanted.
    func write(_ bytes: ArraySlice<UInt8>) async throws(SenteError) {
        guard let place = await demand() else { throw state.withLock { $0.notWritable } }
        give(bytes, at: place)
    }

    // MARK: The consumer

    /// Begins to consume, unless that was begun.
    func start(_ consumption: Consumption) {
        let start = state.withLock { state in
            defer { state.start = nil }
            return state.start
        }
        if let start { submissions.post([start(self, consumption)]) }
    }

    /// What comes next.
    func next(isolation: isolated (any Actor)?) async throws(SenteError) -> Arrival {
        state.withLock { $0.done = $0.handed }
        let found = await first(isolation: isolation) { state -> Result<Arrival, SenteError>? in
            if !state.arrivals.isEmpty { return .success(state.takeArrival()) }
            switch state.result {
            case .success?: return .success(.everything)
            case .failure(let error)?: return .failure(error)
            case nil: break
            }
            if state.supply == .possible, !state.isPaused {
                state.supply = .asked
                submissions.post([.take(self)])
            }
            return nil
        }
        return try found.get()
    }

    /// The consumer is done with everything.
    func confirm() { post(.confirm(.null)) }

    /// Where an app could go on with it in another process.
    var position: StreamPosition? {
        let (done, latest) = state.withLock { ($0.done, $0.latest) }
        switch opening.kind {
        case .upload:
            return StreamPosition(
                id: id, opening, at: StreamPoint(index: latest.chunks, bytes: latest.bytes))
        case .download: return StreamPosition(id: id, opening, at: done)
        case .bidirectional, .broadcast: return nil
        }
    }

    // MARK: Either

    func makeProgress() -> MailboxIterator<StreamProgress> { progress.makeIterator() }

    func control(_ data: Value) { post(.control(data)) }

    /// Nothing moves until `resume`, neither between the ends nor to the consumer.
    func pause() {
        state.withLock { $0.isPaused = true }
        post(.pause)
    }

    func resume() {
        change { $0.isPaused = false }
        post(.resume)
    }

    func cancel(reason: String?) {
        state.withLock { if $0.result == nil { $0.isCancelled = true } }
        post(.cancel(reason: reason))
    }

    /// What gives the bytes, or takes them, cannot go on.
    func abandon(_ fault: StreamFault) { post(.abandon(fault)) }

    /// Nobody holds it any more, so nobody can feed or consume it.
    func release() {
        let (isTaken, isFinished) = state.withLock { ($0.start == nil, $0.isFinished) }
        if !isTaken {
            abandon(StreamFault(.refused, "Nobody takes the stream."))
        } else if opening.kind != .upload || !isFinished {
            cancel(reason: nil)
        }
    }

    private func post(_ command: StreamCommand) {
        guard state.withLock({ $0.result == nil }) else { return }
        submissions.post(.stream(id, command))
    }
}

extension StreamHandle.State {
    fileprivate mutating func takeArrival() -> StreamHandle.Arrival {
        let arrival = arrivals.removeFirst()
        if case .piece(let piece) = arrival {
            handed = StreamPoint(
                index: piece.index + 1, bytes: handed.bytes + UInt64(piece.bytes.count))
        }
        return arrival
    }

    /// Why nothing can be written.
    fileprivate var notWritable: SenteError {
        if case .failure(let error)? = result { return error }
        return SenteError(.invalidArgument, "The stream was finished: nothing can be written to it any more.")
    }
}
