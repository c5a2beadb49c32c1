// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Dates of HTTP")
struct HTTPDateTests {
    @Test(
        "The preferred format is understood",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200_000),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799_000),
        ] as [(String, Int64)])
    func good(text: String, milliseconds: Int64) {
        #expect(HTTPDate.milliseconds(text) == milliseconds)
    }

    @Test(
        "Anything else is no date",
        arguments: [
            "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ])
    func bad(text: String) {
        #expect(HTTPDate.milliseconds(text) == nil)
    }
}
