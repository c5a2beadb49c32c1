// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("RemoteError")
struct RemoteErrorTests {
    private static let error = RemoteError(code: "sold-out", message: "No seat is left.", details: ["row": 7])

    @Test(
        "it comes back as it was from every format",
        arguments: [WireFormat.json, .edn, .transitJSON, .transitMessagePack])
    func roundTrips(format: WireFormat) throws {
        let bytes = try format.encode(Self.error.value)
        #expect(RemoteError(try format.decode(bytes)) == Self.error)
    }

    @Test("a Clojure peer finds keywords, a peer with JSON finds text, and nobody finds what is empty")
    func isWritten() throws {
        let edn = String(decoding: try WireFormat.edn.encode(Self.error.value), as: UTF8.self)
        #expect(edn == #"{:code "sold-out", :message "No seat is left.", :details {"row" 7}}"#)
        let json = String(
            decoding: try WireFormat.json.encode(RemoteError(code: "gone").value), as: UTF8.self)
        #expect(json == #"{"code":"gone"}"#)
    }

    @Test("what peers send is read leniently, and what has no code is none of these")
    func isRead() {
        #expect(RemoteError(["code": "a"]) == RemoteError(code: "a"))
        #expect(
            RemoteError([.keyword("code"): .keyword("not-found"), .keyword("message"): 7])
                == RemoteError(code: "not-found"))
        for value in [nil, .null, "text", 7, [:], ["message": "m"], ["code": 7]] as [Value?] {
            #expect(RemoteError(value) == nil)
        }
    }

    @Test("an error of a service has it, an error of another kind has none")
    func standsInSenteError() {
        #expect(SenteError(.remoteError, "", details: Self.error.value).remoteError == Self.error)
        #expect(SenteError(.remoteError, "", details: ["message": "m"]).remoteError == nil)
        #expect(SenteError(.rejected, "", details: Self.error.value).remoteError == nil)
    }

    @Test("its description reads as a sentence with the code")
    func describes() {
        #expect(Self.error.description == "No seat is left. (sold-out)")
        #expect(RemoteError(code: "gone").description == "gone")
    }
}
