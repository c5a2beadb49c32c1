// SPDX-License-Identifier: Apache-2.0

extension StringProtocol {
    /// The start of a peer's text, fit to stand in a sentence: at most `limit` characters, nothing unprintable.
    func excerpt(_ limit: Int = 80) -> String {
        var result = ""
        var count = 0
        for scalar in unicodeScalars {
            guard count < limit else { return result + "…" }
            count += 1
            result.unicodeScalars.append(scalar.isPrintable ? scalar : "·")
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Whether it shows as itself in a line of text; what turns the direction of writing does not.
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default: true
        }
    }
}
