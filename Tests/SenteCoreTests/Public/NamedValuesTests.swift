// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Named values")
struct NamedValuesTests {
    @Test("Order and doubles are kept, by literal, by pairs and by appending")
    func order() {
        var values: NamedValues = ["b": "1", "a": "2", "b": "3"]
        #expect(values.map(\.name) == ["b", "a", "b"])
        #expect(values == NamedValues(values.pairs))
        values.append("4", named: "a")
        #expect(values.map(\.value) == ["1", "2", "3", "4"])
        #expect(NamedValues(["z": "1", "y": "2"] as [String: String]).map(\.name) == ["y", "z"])
        #expect(NamedValues().isEmpty)
    }

    @Test("A name's value is read first, replaced in its place, and removed by nil")
    func subscripts() {
        var values: NamedValues = ["a": "1", "b": "2", "a": "3"]
        #expect(values["a"] == "1")
        values["a"] = "9"
        #expect(values == ["a": "9", "b": "2"])
        values["c"] = "4"
        values["b"] = nil
        #expect(values == ["a": "9", "c": "4"])
        #expect(values["b"] == nil)
    }

    @Test("Names of other bytes are other names")
    func bytes() {
        var values: NamedValues = ["caf\u{e9}": "1"]
        #expect(values["cafe\u{301}"] == nil)
        values["cafe\u{301}"] = "2"
        #expect(values["caf\u{e9}"] == "1" && values["cafe\u{301}"] == "2")
    }
}
