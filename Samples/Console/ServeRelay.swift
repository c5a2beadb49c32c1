// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteServer

/// What the server does with events in Sente's dialect, so that there is something to try: `chat` events go to everybody,
/// and whoever wants an answer gets one.
enum ServeRelay {
    static func start(
        _ configuration: ServerConfiguration, _ service: ServerService, _ streams: ServeStreams?
    ) throws -> ReferenceServer {
        var service = service
        service.userID = { request in
            .string(request.parameter("user") ?? request.parameter("client-id") ?? "")
        }
        let socket = try makeChannelSocketServer(configuration, service: service)
        startRouter(socket.chRecv) { message in
            guard message.id.namespace != "chsk" else { return }
            if let streams, message.id == "files/get" {
                Task { message.reply?(await streams.answer(message.data, to: message.connection).data) }
                return
            }
            guard message.id.namespace == "chat" else { return message.reply?(message.data) ?? () }
            try socket.broadcast([.keyword(message.id), said(message.data, by: message.uid)])
            message.reply?(.keyword("ok"))
        }
        return socket.server
    }

    /// The data with the key `:from`; data that is no map stands under `:data`.
    static func said(_ data: Value, by uid: Value) -> Value {
        var map = data.mapValue ?? (data.isNull ? [:] : [.keyword("data"): data])
        map[.keyword("from")] = uid
        return .map(map)
    }
}
