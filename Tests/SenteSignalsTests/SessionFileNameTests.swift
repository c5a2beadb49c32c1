// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("The file of a session")
struct SessionFileNameTests {
    @Test("a plain name stays, with the time behind it")
    func plain() {
        #expect(
            SessionFileName.text(session: "conn-17_a", milliseconds: 1_761_360_590_863)
                == "conn-17_a-2025-10-25T024950863Z.log")
    }

    @Test("64 characters stay, and what is beyond them becomes a mark")
    func long() {
        let name = String(repeating: "x", count: 64)
        #expect(SessionFileName.text(session: name, milliseconds: 0) == name + "-1970-01-01T000000000Z.log")
        let longer = SessionFileName.text(session: name + "y", milliseconds: 0)
        #expect(longer.hasPrefix(name + "-") && !longer.hasPrefix(name + "-1970"))
        #expect(longer != SessionFileName.text(session: name + "z", milliseconds: 0))
    }

    @Test(
        "no name leaves the folder, is hidden, or is another's",
        arguments: [
            "", "..", "../../etc/passwd", "a/b", "a.b", "a\u{0}b", "ä", String(repeating: "x", count: 10_000),
            "\n",
        ])
    func hostile(session: String) {
        let name = SessionFileName.text(session: session, milliseconds: 0)
        #expect(name.utf8.count < 128)
        #expect(!name.hasPrefix("."))
        #expect(name.dropLast(4).utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 46 && $0 != 47 })
        for other in ["", "..", "a_b", "__", "_", "a/b", "a.b"] where other != session {
            #expect(name != SessionFileName.text(session: other, milliseconds: 0))
        }
    }
}
