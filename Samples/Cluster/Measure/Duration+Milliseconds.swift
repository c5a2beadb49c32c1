// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// In milliseconds, to a tenth.
    var inMilliseconds: Double { ((self / .milliseconds(1)) * 10).rounded() / 10 }
}
