// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteCore
import SenteTransport

/// Keeps large data on a server that takes PUT and gives with GET, such as an object store with presigned URLs.
///
/// ```swift
/// let storage = HTTPStorage { upload in
///     let ticket = try await backend.presignUpload(size: upload.size, sha256: upload.sha256)
///     return .init(reference: ticket.key, url: ticket.url)
/// } get: { reference in
///     .init(url: try await backend.presignDownload(key: reference.reference))
/// }
/// ```
///
/// Each request has a connection of its own, over sockets of this package, by the client's own TLS and proxies. Redirects are not
/// followed. On Apple's systems, where OpenSSL is not at hand, `https` needs a storage of the app's own over `URLSession`.
public struct HTTPStorage: LargeDataStorage {
    /// What is to be stored.
    public struct Upload: Sendable, Hashable {
        /// How many bytes.
        public var size: Int
        /// Their SHA-256, in hexadecimal digits.
        public var sha256: String
        /// What goes with the reference.
        public var metadata: [String: String]

        /// Makes one, as a test of `put` wants to see it.
        public init(size: Int, sha256: String, metadata: [String: String] = [:]) {
            self.size = size
            self.sha256 = sha256
            self.metadata = metadata
        }
    }

    /// Where something is to be stored, and what others will know it by.
    public struct Target: Sendable, Hashable {
        /// What `get` will be asked for, by whoever fetches it.
        public var reference: String
        /// Takes the PUT; `https` or `http`.
        public var url: String
        /// Sent with it, and nothing else but what HTTP needs.
        public var headers: NamedValues

        /// Makes one.
        public init(reference: String, url: String, headers: NamedValues = [:]) {
            self.reference = reference
            self.url = url
            self.headers = headers
        }
    }

    /// Where something is fetched from.
    public struct Source: Sendable, Hashable {
        /// Answers the GET; `https` or `http`.
        public var url: String
        /// Sent with it.
        public var headers: NamedValues

        /// Makes one.
        public init(url: String, headers: NamedValues = [:]) {
            self.url = url
            self.headers = headers
        }
    }

    /// Says where something is to be stored.
    public typealias Put = @Sendable (Upload) async throws -> Target
    /// Says where something is; the reference is another user's text, of which no URL must be made unchecked.
    public typealias Get = @Sendable (LargeDataReference) async throws -> Source

    /// What references name it by.
    public let name: String
    private let put: Put
    private let get: Get
    private let timeout: Duration
    private var tls: TLSConfiguration?
    private var proxy: ProxySetting?

    /// Makes a storage of what says where things go.
    ///
    /// - Parameters:
    ///   - name: What references name it by. The default is `http`.
    ///   - timeout: For one request. The default is 60 s.
    ///   - tls: How `https` is secured. The default is nil: as the client's own connection.
    ///   - proxy: By which proxy servers are reached. The default is nil: as the client's own.
    ///   - put: Says where something is to be stored.
    ///   - get: Says where something is.
    public init(
        name: String = "http", timeout: Duration = .seconds(60), tls: TLSConfiguration? = nil,
        proxy: ProxySetting? = nil, put: @escaping Put, get: @escaping Get
    ) {
        self.name = name
        self.timeout = timeout
        self.tls = tls
        self.proxy = proxy
        self.put = put
        self.get = get
    }

    /// The same with a client's settings where it has none of its own.
    func completed(by configuration: SenteClient.Configuration) -> Self {
        var storage = self
        storage.tls = tls ?? configuration.tls
        storage.proxy = proxy ?? configuration.proxy
        return storage
    }

    /// Puts bytes where `put` says.
    ///
    /// - Throws: `storageFailed` with the server's status and the start of its answer when it says no, what kept it from being
    ///   asked (`unreachable`, `timedOut`, …), and what `put` throws.
    public func store(_ bytes: [UInt8], metadata: [String: String]) async throws -> String {
        var metadata = metadata
        let sha256 = metadata.removeValue(forKey: "sha256") ?? ""
        let target = try await put(Upload(size: bytes.count, sha256: sha256, metadata: metadata))
        _ = try await answer { (client, timeout) throws(LinkFailure) in
            try await client.put(bytes, to: target.url, headers: target.headers.fields, timeout: timeout)
        }
        return target.reference
    }

    /// Gets bytes from where `get` says.
    ///
    /// - Throws: What `store` throws.
    public func fetch(_ reference: LargeDataReference, limit: Int) async throws -> [UInt8] {
        let source = try await get(reference)
        return try await answer { (client, timeout) throws(LinkFailure) in
            try await client.get(source.url, headers: source.headers.fields, limit: limit, timeout: timeout)
        }.body
    }

    /// The server's good answer.
    private func answer(
        _ ask: (HTTPClient, Duration) async throws(LinkFailure) -> Refusal
    ) async throws(SenteError) -> Refusal {
        let answer: Refusal
        do throws(LinkFailure) {
            let client = HTTPClient(
                on: try EventLoop.shared(), transport: Self.transport, tls: tls ?? TLSConfiguration(),
                proxy: proxy ?? .environment)
            answer = try await ask(client, timeout)
        } catch {
            guard !Task.isCancelled else {
                throw SenteError(.cancelled, "The task was cancelled before the storage had answered.")
            }
            var failure = LinkEnd.failed(error).meaning.error
            failure.message = "The storage could not be asked. \(failure.message)"
            throw failure
        }
        guard answer.isGood else { throw SenteError(ofStorage: answer) }
        return answer
    }

    /// One for all, so that it remembers which addresses lead nowhere.
    private static let transport = SocketTransport()
}

extension NamedValues {
    fileprivate var fields: [Refusal.Header] { map { Refusal.Header($0.name, $0.value) } }
}

extension SenteError {
    /// A storage's server said no.
    fileprivate init(ofStorage answer: Refusal) {
        let advice =
            switch answer.status {
            case 300..<400: "redirects, which is not followed: give the place itself"
            case 401, 403: "refused the request: see whether its URL is signed, and still good"
            case 404, 410: "does not have what was asked for, or not any more"
            case 413, 507: "has no room for so much"
            default: "could not do what was asked"
            }
        let words = answer.firstLine.map { " It says: “\($0)”." } ?? ""
        self.init(
            code: .storageFailed, message: "The storage's server \(advice).\(words)",
            httpStatus: answer.status,
            headers: answer.headers.map { Header(name: $0.name, value: $0.value) }, body: answer.body)
    }
}
