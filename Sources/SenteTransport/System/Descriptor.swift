// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What a read or a write came to, of a descriptor or of TLS upon it.
enum Transfer {
    /// So many bytes; of a read never 0, and of a TLS handshake 0, for done.
    case bytes(Int)
    /// The peer has ended its side.
    case end
    /// Nothing until the peer, or the kernel, goes on.
    case wouldBlock
    case failed(LinkFailure)

    /// How many bytes passed.
    var count: Int {
        if case .bytes(let count) = self { count } else { 0 }
    }
}

/// Calls on a descriptor that differ between systems or need care with `errno`.
enum Descriptor {
    static func close(_ descriptor: Int32) {
        // Not repeated after EINTR: on Linux and Darwin the descriptor is gone, and its number may be someone else's.
        _ = systemClose(descriptor)
    }

    static func makeNonBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL, 0) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// `action` is what a fault ends, for people.
    static func receive(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, during action: String
    ) -> Transfer {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            let code = errno
            if code == EAGAIN || code == EWOULDBLOCK { return .wouldBlock }
            if code != EINTR { return .failed(Platform.failure(code, action, kind: .lost)) }
        }
    }

    /// `action` is what a fault ends, for people.
    static func send(
        _ descriptor: Int32, _ buffer: UnsafeRawBufferPointer, during action: String
    ) -> Transfer {
        while true {
            let count = systemSend(descriptor, buffer, Platform.sendFlags)
            if count >= 0 { return .bytes(count) }
            let code = errno
            // ENOBUFS is Darwin's passing lack of buffers.
            if code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS { return .wouldBlock }
            if code != EINTR { return .failed(Platform.failure(code, action, kind: .lost)) }
        }
    }
}
