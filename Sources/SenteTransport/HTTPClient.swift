// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteSocket

/// Makes requests over HTTP/1.1, each on a connection of its own: dialed, proxied and secured as links are.
///
/// Redirects are not followed: who has a presigned URL has the place itself.
package struct HTTPClient: Sendable {
    private let loop: EventLoop
    private let transport: SocketTransport
    private let tls: TLSConfiguration
    private let proxy: ProxySetting

    package init(
        on loop: EventLoop, transport: SocketTransport = SocketTransport(),
        tls: TLSConfiguration = TLSConfiguration(), proxy: ProxySetting = .none
    ) {
        self.loop = loop
        self.transport = transport
        self.tls = tls
        self.proxy = proxy
    }

    /// Asks for what a URL names, of which no more than `limit` bytes may come.
    package func get(
        _ url: String, headers: [Refusal.Header] = [], limit: Int, timeout: Duration
    ) async throws(LinkFailure) -> Refusal {
        try await answer(timeout: timeout) { () throws(HTTPExchangeError) in
            try HTTPExchangeRequest(.get, url, headers: headers, limit: limit)
        }
    }

    /// Stores bytes at a URL.
    package func put(
        _ body: [UInt8], to url: String, headers: [Refusal.Header] = [], timeout: Duration
    ) async throws(LinkFailure) -> Refusal {
        try await answer(timeout: timeout) { () throws(HTTPExchangeError) in
            try HTTPExchangeRequest(.put, url, headers: headers, body: body, limit: Self.putAnswer)
        }
    }

    /// What a server may say to a PUT, in bytes.
    private static let putAnswer = 1 << 20

    /// Waits for the whole answer, good or bad; `timeout` is for all of it, and cancelling the task ends the connection.
    private func answer(
        timeout: Duration, to make: () throws(HTTPExchangeError) -> HTTPExchangeRequest
    ) async throws(LinkFailure) -> Refusal {
        let request: HTTPExchangeRequest
        do throws(HTTPExchangeError) {
            request = try make()
        } catch {
            throw LinkFailure(.misconfigured, error.description)
        }
        var link = LinkRequest(
            url: request.url.description, openDeadline: loop.instant.advanced(by: timeout), tls: tls)
        link.proxy = proxy
        link.exchange = request
        let exchange = ExchangeUnderWay(loop)
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { exchange.begin(link, over: transport, $0) }
        } onCancel: {
            exchange.cancel()
        }.get()
    }
}

/// One request and whoever waits for its answer; all of it on the loop but for its two calls.
private final class ExchangeUnderWay: LinkObserver, @unchecked Sendable {
    typealias Waiter = CheckedContinuation<Result<Refusal, LinkFailure>, Never>

    private let loop: EventLoop
    // The loop's own.
    private var link: (any TransportLink)?
    private var waiter: Waiter?
    private var isCancelled = false

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    func begin(_ request: LinkRequest, over transport: SocketTransport, _ waiter: Waiter) {
        let isPosted = loop.tryPost {
            self.waiter = waiter
            // The task may have been cancelled before there was anything to end.
            guard !self.isCancelled else { return self.end(.failure(Self.cancelled)) }
            self.link = transport.open(LinkID(0), request, on: self.loop, observer: self)
        }
        if !isPosted {
            waiter.resume(returning: .failure(LinkFailure(.unavailable, "The event loop was shut down.")))
        }
    }

    func cancel() {
        loop.post {
            self.isCancelled = true
            self.link?.abandon()
            self.end(.failure(Self.cancelled))
        }
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        switch reports.last {
        case .refused(let answer)?: end(.success(answer))
        case .closed(.failed(let failure))?: end(.failure(failure))
        case .closed(.closed)?: end(.failure(LinkFailure(.lost, "The connection was closed.")))
        case .opened?, .received?, .progress?, .wrote?, .answered?, nil: break
        }
    }

    private func end(_ result: Result<Refusal, LinkFailure>) {
        link = nil
        waiter?.resume(returning: result)
        waiter = nil
    }

    private static let cancelled = LinkFailure(.lost, "The task was cancelled.")
}
