// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("HTTP body")
struct HTTPBodyReaderTests {
    struct Row: Sendable {
        var fields: String
        var sent: String
        var body: String
        /// Whether the body is complete without the connection's end.
        var isComplete = true
    }

    @Test(
        "RFC 9112 §6: a refusal's body ends where its framing says, or where the sense ends",
        arguments: [
            Row(fields: "Content-Length: 3\r\n", sent: "abcdef", body: "abc"),
            Row(fields: "Content-Length: 3\r\nContent-Length: 3\r\n", sent: "abcdef", body: "abc"),
            Row(fields: "Content-Length: 9\r\n", sent: "abc", body: "abc", isComplete: false),
            Row(fields: "Content-Length: 0\r\n", sent: "", body: ""),
            Row(fields: "", sent: "abc", body: "abc", isComplete: false),
            Row(
                fields: "Content-Length: 1\r\nContent-Length: 2\r\n", sent: "abc", body: "abc",
                isComplete: false),
            Row(fields: "Content-Length: -1\r\n", sent: "abc", body: "abc", isComplete: false),
            Row(
                fields: "Content-Length: 99999999999999999999\r\n", sent: "abc", body: "abc",
                isComplete: false),
            Row(fields: "Transfer-Encoding: gzip\r\n", sent: "abc", body: "abc", isComplete: false),
            Row(
                fields: "Transfer-Encoding: Chunked\r\n",
                sent: "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", body: "abc0123456789"),
            Row(
                fields: "Transfer-Encoding: chunked\r\n", sent: "3\r\nabc\r\n4\r\nde", body: "abcde",
                isComplete: false),
            Row(fields: "Transfer-Encoding: chunked\r\n", sent: "3\r\nabcd\r\n", body: "abc"),
            Row(fields: "Transfer-Encoding: chunked\r\n", sent: "3\nabc\r\n", body: ""),
            Row(fields: "Transfer-Encoding: chunked\r\n", sent: "x\r\nabc", body: ""),
            Row(fields: "Transfer-Encoding: chunked\r\n", sent: "-3\r\nabc", body: ""),
            Row(fields: "Transfer-Encoding: chunked\r\n", sent: "fffffffffffffffff\r\nabc", body: ""),
            Row(
                fields: "Transfer-Encoding: chunked\r\n", sent: "7fffffffffffffff\r\nabc", body: "abc",
                isComplete: false),
            Row(fields: "Transfer-Encoding: chunked\r\n", sent: String(repeating: "0", count: 300), body: ""),
        ])
    func framing(row: Row) throws {
        for size in [Int.max, 1, 3] {
            let (peer, _) = try Peer.client()
            peer.feed("HTTP/1.1 403 No\r\n\(row.fields)\r\n\(row.sent)", by: size)
            #expect((peer.refusal != nil) == row.isComplete)
            peer.end()
            #expect(peer.refusal?.body == Array(row.body.utf8))
            #expect(peer.events.count == 1)
            #expect(peer.link.isOver)
        }
    }

    @Test(
        "RFC 9112 §6: an endless body is cut at the limit and the link is over",
        arguments: ["", "Content-Length: 9000000000000000000\r\n", "Transfer-Encoding: chunked\r\n"])
    func endless(fields: String) throws {
        for size in [Int.max, 1_000] {
            let (peer, _) = try Peer.client()
            let piece = "400\r\n" + String(repeating: "z", count: 1_024) + "\r\n"
            peer.feed("HTTP/1.1 403 No\r\n\(fields)\r\n" + String(repeating: piece, count: 200), by: size)
            #expect(peer.refusal?.body.count == 64 << 10)
            #expect(peer.link.isOver)
        }
    }

    @Test("an answer whose body does not end in time, or is reset, is still that answer")
    func cut() throws {
        let (peer, _) = try Peer.client()
        peer.feed("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nabc")
        let other = peer.copy()
        peer.advance(by: .seconds(10))
        #expect(peer.refusal?.body == Array("abc".utf8))
        other.link.failed(LinkFailure(.lost, "Reset."), into: &other.reports)
        #expect(other.refusal?.status == 503)
        #expect(other.events.count == 1)
    }
}
