// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteTransport
public import SenteWire

/// Files and endless data, as streams beside the messages.
///
/// The configuration has to have some (`flow.streaming`), and the server has to announce them.
extension SenteClient {
    /// Sends what a source has, over as many connections as it takes; returns when the server has accepted it.
    ///
    /// ```swift
    /// let upload = try await client.upload(.file(url), to: "reports", metadata: ["filename": "q3.pdf"])
    /// for await progress in upload.progress { show(progress) }
    /// let receipt = try await upload.value
    /// ```
    ///
    /// While the client connects it waits for that. Cancelling the task that waits calls the upload off.
    ///
    /// - Parameters:
    ///   - source: Where the bytes come from.
    ///   - channel: What the server knows it by; one need not be subscribed to it.
    ///   - metadata: What the server is to know of it, such as a file's name. The default is nothing.
    ///   - position: Where an upload stood that began in another process; the source gives the same bytes, from their start. The
    ///     default is nil: a new one.
    /// - Returns: The upload, which is under way.
    /// - Throws: `invalidArgument` for a file that cannot be read and for a position that is none of an upload, `unsupported`
    ///   without `flow.streaming`, `notConnected`, `quotaExceeded`, `notResumable`, `streamFailed` when the server does not take
    ///   it, `disconnected`, `cancelled`.
    public func upload(
        _ source: UploadSource, to channel: String, metadata: Value = .null,
        from position: StreamPosition? = nil
    ) async throws(SenteError) -> Upload {
        guard position == nil || position?.kind == .upload else { throw counted(.notOf("an upload")) }
        let source = try counted { () throws(SenteError) in try source.open() }
        var opening = position?.opening ?? opening(.upload, channel)
        opening.totalSize = source.size ?? opening.totalSize
        opening.metadata = metadata
        let handle = try await open(
            opening, isSeekable: source.isSeekable || position != nil, from: position
        ) { [host] handle in
            handle.feed(host.start { await handle.feed(from: source) })
        }
        return Upload(handle: handle, client: self)
    }

    /// Opens an upload that the app writes itself; returns when the server has accepted it.
    ///
    /// ```swift
    /// let stream = try await client.openUpload(on: "sensor")
    /// for await sample in samples { try await stream.write(sample.bytes) }
    /// stream.finish()
    /// ```
    ///
    /// - Parameters:
    ///   - channel: What the server knows it by.
    ///   - totalSize: How many bytes it will be, if that is known; it then has to be so many. The default is nil.
    ///   - metadata: What the server is to know of it. The default is nothing.
    /// - Returns: What is written to.
    /// - Throws: What `upload` throws.
    public func openUpload(
        on channel: String, totalSize: UInt64? = nil, metadata: Value = .null
    ) async throws(SenteError) -> UploadStream {
        var opening = opening(.upload, channel)
        opening.totalSize = totalSize
        opening.metadata = metadata
        let handle = try await open(opening)
        return UploadStream(handle: handle, keeper: CancelOnDeinit(handle, of: self))
    }

    /// Opens a stream that goes both ways; returns when the server has accepted it.
    ///
    /// - Parameters:
    ///   - channel: What the server knows it by.
    ///   - metadata: What the server is to know of it. The default is nothing.
    /// - Returns: The stream.
    /// - Throws: What `upload` throws.
    public func openBidirectional(
        on channel: String, metadata: Value = .null
    ) async throws(SenteError) -> BidirectionalStream {
        var opening = opening(.bidirectional, channel)
        opening.metadata = metadata
        let handle = try await open(opening)
        return BidirectionalStream(handle: handle, keeper: CancelOnDeinit(handle, of: self))
    }

    /// What the server sends on a channel: downloads, and broadcasts to the channel's subscribers.
    ///
    /// - Parameter channel: The channel; nil for whatever nobody else takes, without a channel too. The default is nil.
    /// - Returns: The downloads, as the server offers them.
    public func downloads(on channel: String? = nil) -> Downloads {
        Downloads(client: self, channel: channel)
    }

    /// Runs `body` for each piece of what the server sends on a channel: in order, one after the other, for each download by itself,
    /// never on the loop.
    ///
    /// The next piece is credited when `body` has returned. How a download ends, its `value` tells. To use the client inside,
    /// capture it weakly, or it is never released. Cancelling the registration calls off what is under way.
    ///
    /// - Parameters:
    ///   - channel: The channel; nil for whatever nobody else takes. The default is nil.
    ///   - body: Says what becomes of the download.
    /// - Returns: The closure's place.
    @discardableResult
    public func onDownload(
        on channel: String? = nil,
        _ body: @escaping @Sendable (Download, StreamPiece) async -> DownloadAction
    ) -> Registration {
        /// Those under way; nil once it was cancelled.
        let live = LockedValue<[StreamHandle]?>([])
        let task = host.startUntraced { [weak self, host, offers = driver.offers] in
            while let handle = await offers.next(on: channel, isolation: nil), let client = self {
                let download = Download(handle, of: client)
                guard live.withLock({ $0?.append(handle) }) != nil else { return }
                host.start {
                    await download.push(to: body)
                    live.withLock { $0?.removeAll { $0 === handle } }
                }
            }
        }
        return Registration {
            task.cancel()
            let handles = live.withLock { live in
                defer { live = nil }
                return live ?? []
            }
            for handle in handles { handle.cancel(reason: nil) }
        }
    }

    /// Goes on with a download that began in another process, from its position.
    ///
    /// Nothing is asked of the server before somebody takes it. `save(to:)` with the folder and name of then finds what was written
    /// and goes on behind it; the whole is checked. Whoever takes the pieces gets those behind the position, and the checksum of
    /// the whole, of which this process has only a part, is not.
    ///
    /// - Parameter position: Where it stood.
    /// - Returns: The download; taking it throws `notResumable` when the server has forgotten it.
    /// - Throws: `invalidArgument` for a position that is none of a download, `unsupported` without `flow.streaming`.
    public func resumeDownload(_ position: StreamPosition) throws(SenteError) -> Download {
        guard position.kind == .download else { throw counted(.notOf("a download")) }
        try checkStreaming()
        let handle = StreamHandle(position.id, position.opening, at: position.point, driver.submissions)
        handle.startsLater { handle, how in
            .opening(
                handle,
                .open(
                    position.opening, isSeekable: false, startsOver: how.startsOver, position: position.point,
                    digest: how.digest))
        }
        return Download(handle, of: self, from: position)
    }

    // MARK: Opening

    private func opening(_ kind: StreamKind, _ channel: String) -> StreamOpening {
        StreamOpening(
            kind: kind, number: 0, channel: channel,
            chunkSize: configuration.flow.streaming?.chunkSize ?? 65_536,
            checksChunks: configuration.flow.streaming?.checksChunks ?? false)
    }

    /// Opens a stream, and waits until the server has accepted it; `begin` comes before that.
    private func open(
        _ opening: StreamOpening, isSeekable: Bool = false, from position: StreamPosition? = nil,
        begin: (StreamHandle) -> Void = { _ in }
    ) async throws(SenteError) -> StreamHandle {
        try checkStreaming()
        if let refusal = driver.submissions.refusal { throw counted(refusal) }
        let id = position?.id ?? host.entropy.uuid().description
        let handle = StreamHandle(id, opening, driver.submissions)
        driver.submissions.post([
            .opening(
                handle,
                .open(opening, isSeekable: isSeekable, startsOver: false, position: position?.point))
        ])
        begin(handle)
        try await handle.accepted()
        return handle
    }

    private func checkStreaming() throws(SenteError) {
        guard configuration.flow.streaming == nil else { return }
        throw counted(
            SenteError(
                .unsupported,
                "This client has no streams: give `flow.streaming` of its configuration a StreamingPolicy().",
                outcome: .notSent))
    }
}

extension Download {
    fileprivate func push(to body: @Sendable (Download, StreamPiece) async -> DownloadAction) async {
        var pieces = makeAsyncIterator()
        while let piece = try? await pieces.next() {
            switch await body(self, piece) {
            case .continue: break
            case .pause: pause()
            case .cancel: return cancel()
            }
        }
    }
}

extension SenteError {
    fileprivate static func notOf(_ what: String) -> SenteError {
        SenteError(.invalidArgument, "The position is none of \(what).", outcome: .notSent)
    }
}
