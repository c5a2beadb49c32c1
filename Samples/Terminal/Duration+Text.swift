// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// For people: `3.2 ms`, `1.5 s`.
    public var text: String {
        let milliseconds = self / .milliseconds(1)
        if milliseconds >= 1_000 { return "\((milliseconds / 10).rounded() / 100) s" }
        return "\((milliseconds * 10).rounded() / 10) ms"
    }

    /// For people: `5 s`, `0.5 s`.
    public var seconds: String {
        let seconds = self / .seconds(1)
        return seconds == seconds.rounded() && abs(seconds) < 1e9 ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}
