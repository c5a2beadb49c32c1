// SPDX-License-Identifier: Apache-2.0

package import Foundation

/// The nats-server that the system has.
package enum NATSServerProgram {
    /// It is not on this machine.
    package struct Missing: Error, CustomStringConvertible {
        package let description =
            "There is no nats-server on this machine: `apt-get install nats-server`, `brew install nats-server`, or see docs.nats.io."
    }

    /// Where it is; an ordinary user's path often leaves out what only administrators are thought to need.
    package static func find() throws(Missing) -> URL {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let found = (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"])
            .map { "\($0)/nats-server" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else { throw Missing() }
        return URL(fileURLWithPath: found)
    }
}
