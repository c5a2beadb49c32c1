// SPDX-License-Identifier: Apache-2.0

package import SenteSocket

extension ProxyEnvironment {
    /// The environment of this process as of the first link: `getenv` while another thread sets a variable is not safe.
    package static let process = ProxyEnvironment { name in getenv(name).map { String(cString: $0) } }
}
