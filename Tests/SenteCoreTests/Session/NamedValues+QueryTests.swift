// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Parameters of a URL")
struct NamedValuesQueryTests {
    @Test(
        "They stand behind what the URL has",
        arguments: [
            ("ws://h", "ws://h?a=1&b=2"), ("ws://h/", "ws://h/?a=1&b=2"), ("ws://h/?", "ws://h/?a=1&b=2"),
            ("ws://h/?x=y", "ws://h/?x=y&a=1&b=2"), ("ws://h/?x&", "ws://h/?x&a=1&b=2"),
        ])
    func joints(url: String, result: String) {
        #expect((["a": "1", "b": "2"] as NamedValues).added(to: url) == result)
        #expect(NamedValues().added(to: url) == url)
    }

    @Test("Everything but unreserved characters is percent-encoded, byte by byte")
    func encoding() {
        let values: NamedValues = ["a b": "&=+#?/%", "é": "\u{0}\r\n", "A-Z.a_z~09": ""]
        #expect(values.query == "a%20b=%26%3D%2B%23%3F%2F%25&%C3%A9=%00%0D%0A&A-Z.a_z~09=")
    }
}
