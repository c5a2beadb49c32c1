// SPDX-License-Identifier: Apache-2.0

import SenteTransport
import SenteWire

extension [FlowCapabilities.Algorithm: Compressor] {
    /// By the system's zlib; none where there is none.
    static func system(_ flow: ServerConfiguration.Flow) -> Self {
        guard let compression = flow.compression, case .success(let library) = ZlibLibrary.shared else {
            return [:]
        }
        return Self(
            uniqueKeysWithValues: Set(compression.algorithms).map { algorithm in
                (algorithm, Compressor(library, algorithm == .gzip ? .gzip : .zlib, level: compression.level))
            })
    }
}

extension Compressor {
    fileprivate init(_ library: ZlibLibrary, _ container: ZlibLibrary.Container, level: Int) {
        self.init { bytes, output throws(WireError) in
            do throws(ZlibLibrary.Failure) {
                try library.compress(bytes, container, level: level, into: &output)
            } catch {
                throw WireError(error)
            }
        } decompress: { bytes, output, limit throws(WireError) in
            do throws(ZlibLibrary.Failure) {
                try library.decompress(bytes, container, into: &output, limit: limit)
            } catch {
                throw WireError(error)
            }
        }
    }
}

extension WireError {
    fileprivate init(_ failure: ZlibLibrary.Failure) {
        switch failure {
        case .unavailable(let message): self.init(.unavailable, message)
        case .malformed: self.init(.malformed, "The compressed bytes are no whole stream.")
        case .tooLarge: self.init(.tooLarge, "What was compressed is larger than the limit.")
        }
    }
}
