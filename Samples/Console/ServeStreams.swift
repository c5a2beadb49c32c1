// SPDX-License-Identifier: Apache-2.0

package import SenteLite
package import SenteServer
import SenteTransport

/// What the server does with streams: uploads go into a folder, and its files go to those who ask for them.
package final class ServeStreams: Sendable {
    /// The channel of the requests.
    package static let channel = "files"

    private struct Owner {
        weak var server: ReferenceServer?
    }

    private let folder: StreamFolder
    private let owner = LockedValue(Owner())

    package init(_ folder: StreamFolder) {
        self.folder = folder
    }

    /// Has the service take streams, and answer requests for files.
    package func take(into service: inout ServerService) {
        service.onStream = { [folder] (request) throws(StreamRefusal) in
            guard request.offer.kind == .bidirectional else {
                return StreamEnds(sink: try folder.sink(for: request.offer))
            }
            let echo = StreamEcho()
            var ends = StreamEnds(source: echo, sink: echo)
            ends.answerControl = { $0 }
            return ends
        }
        service.onRequest = { [self] request, order in
            Task {
                let (data, isError) = await answer(request.data, to: request.connection)
                order(.answer(data, requestID: request.id, isError: isError))
            }
        }
    }

    /// Begins to answer, once the server runs.
    package func begin(on server: ReferenceServer) async {
        owner.withLock { $0.server = server }
        await server.perform(.serve(channel: .string(Self.channel)))
    }

    /// Opens a download of the file that was asked for; the answer says what it is.
    package func answer(
        _ question: Value, to connection: ConnectionID
    ) async -> (data: Value, isError: Bool) {
        do throws(StreamRefusal) {
            return (try await open(question, to: connection), false)
        } catch {
            return (["code": .string(error.code), "message": .string(error.message)], true)
        }
    }

    private func open(_ question: Value, to connection: ConnectionID) async throws(StreamRefusal) -> Value {
        let fields = question.mapValue
        guard let name = question.stringValue ?? fields?.value(named: "name")?.stringValue else {
            throw StreamRefusal("ask with the name of a file, or with a map that has it under “name”")
        }
        let follows = fields?.value(named: "follow")?.boolValue ?? false
        let source = try folder.source(of: name, follows: follows)
        let offer = StreamOffer(
            .download, channel: Self.channel, totalSize: source.size, metadata: ["filename": .string(name)])
        let server = owner.withLock { $0.server }
        let opened = await server?.openStream(offer, to: .connection(connection)) {
            StreamEnds(source: source)
        }
        guard let stream = opened?.first else {
            throw StreamRefusal("no stream can be opened: the client has agreed on none, or has too many")
        }
        return [
            "name": .string(name), "stream": .string(stream.id),
            "size": source.size.map { .integer(Int64(clamping: $0)) } ?? .null,
        ]
    }
}
