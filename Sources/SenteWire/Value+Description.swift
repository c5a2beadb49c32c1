// SPDX-License-Identifier: Apache-2.0

extension Value: CustomStringConvertible {
    /// The value as EDN, as ``WireFormat/edn`` writes it; what is nested deeper than 512 is `…`.
    public var description: String {
        var writer = EDNWriter(limits: WireLimits(maximumBytes: .max), isLenient: true)
        do throws(WireError) {
            try writer.write(self)
        } catch {
            return error.message
        }
        return String(decoding: writer.sink.written, as: UTF8.self)
    }
}
