// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Without what a terminal would obey: a peer's text is shown, never done.
    public var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "·"
                    default: scalar
                    }
                }))
    }
}
