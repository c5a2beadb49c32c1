// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// A raw client that waits on a thread of its own: what it waits for may need one of those that tasks share.
final class AsyncRawClient: @unchecked Sendable {
    private let queue = DispatchQueue(label: "async raw client")
    private let client: RawClient

    private init(_ client: RawClient) {
        self.client = client
    }

    /// Opens a WebSocket and reads the greeting.
    static func webSocket(
        port: Int, _ target: String = "/any"
    ) async throws -> (client: AsyncRawClient, greeting: String) {
        let client = AsyncRawClient(try RawClient(port: port))
        let head = try await client.on { try $0.upgrade(target) }
        guard head.hasPrefix("HTTP/1.1 101") else { throw RawClient.Problem(message: head) }
        return (client, try await client.readText())
    }

    /// The head of the answer to an upgrade.
    static func upgrade(port: Int, _ target: String, _ headers: String) async throws -> String {
        try await AsyncRawClient(RawClient(port: port)).on { try $0.upgrade(target, headers) }
    }

    func sendText(_ text: String) async throws { try await on { try $0.sendText(text) } }
    func sendClose(_ code: UInt16) async throws { try await on { try $0.sendClose(code) } }
    func readText() async throws -> String { try await on { try $0.readText() } }
    func readClose() async throws -> UInt16 { try await on { try $0.readClose() } }
    func readEnd() async throws -> Bool { try await on { try $0.readEnd() } }

    private func on<Answer: Sendable>(
        _ body: @escaping @Sendable (RawClient) throws -> Answer
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in continuation.resume(with: Result { try body(client) }) }
        }
    }
}
