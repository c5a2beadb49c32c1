// SPDX-License-Identifier: Apache-2.0

package import SenteSocket

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

extension ProxyEnvironment {
    /// The environment of this process as of the first link: `getenv` while another thread sets a variable is not safe.
    package static let process = ProxyEnvironment { name in getenv(name).map { String(cString: $0) } }
}
