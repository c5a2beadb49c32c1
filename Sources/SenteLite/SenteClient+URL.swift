// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import SenteCore

extension SenteClient {
    /// Makes a client for a `ws:` URL; nothing is opened yet.
    ///
    /// Throws `invalidArgument`, naming what is wrong with the URL or a setting, and `unavailable` when the
    /// system has no thread or descriptor left.
    public convenience init(_ url: URL, configuration: Configuration = .init()) throws(SenteError) {
        try self.init(url.absoluteString, configuration: configuration)
    }
}
