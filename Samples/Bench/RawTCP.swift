// SPDX-License-Identifier: Apache-2.0

import Dispatch

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The floor: blocking calls on a bare TCP connection over loopback, an echoing thread at the other end.
enum RawTCP {
    static func pingPong(size: Int, count: Int) -> BenchResult {
        let (client, server) = pair()
        DispatchQueue.global().async {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let got = recv(server, &buffer, buffer.count, 0)
                guard got > 0, send(server, buffer, got, 0) == got else { break }
            }
            close(server)
        }
        defer { close(client) }
        let load = Load(
            "", mode: .pingpong, size: size, count: count, window: 1, handOver: .callback)
        let message = [UInt8](repeating: 0x61, count: size)
        var buffer = [UInt8](repeating: 0, count: size)
        var watch = Stopwatch()
        for round in 0..<load.warmUp + count {
            if round == load.warmUp { watch.start(expecting: count) }
            let start = Measure.nanoseconds()
            guard send(client, message, size, 0) == size else { break }
            var got = 0
            while got < size {
                let part = recv(client, &buffer, size - got, 0)
                guard part > 0 else { break }
                got += part
            }
            if round >= load.warmUp { watch.record(Measure.nanoseconds() - start) }
        }
        return watch.result("raw-tcp", load)
    }

    /// Two connected sockets.
    private static func pair() -> (Int32, Int32) {
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        let listener = socket(AF_INET, stream, 0)
        let client = socket(AF_INET, stream, 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length)
                listen(listener, 1)
                getsockname(listener, $0, &length)
                connect(client, $0, length)
            }
        }
        let server = accept(listener, nil, nil)
        var on: Int32 = 1
        for one in [client, server] {
            setsockopt(one, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        return (client, server)
    }
}
