// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport

/// The WebSocket room under an outside test suite (Autobahn|Testsuite): an echo client, and an echo server.
///
///     conformance client URL AGENT [COMPRESSION]    runs every case of the fuzzing server at URL
///     conformance server PORT [COMPRESSION]         echoes until it is ended
///
/// Compression is offered and accepted as the client does by default, or as the words after it say: `plain`, or any of
/// `outgoing=9…15`, `incoming=9…15`, `forget-outgoing`, `forget-incoming`, `threshold=BYTES`.
///
/// `.ci/run` runs all but the larger half of the compressed cases. All 517, with the suite's runner in
/// ../shared/conformance, take about a quarter of an hour each way:
///
///     autobahn.sh start 9001 all /tmp/client; conformance client ws://127.0.0.1:9001 sentelite; autobahn.sh stop 9001
///     autobahn.sh summary /tmp/client --strict --expect 517
///
///     conformance server 9002 &
///     autobahn.sh client ws://127.0.0.1:9002 sentelite all /tmp/server
///     autobahn.sh summary /tmp/server --strict --expect 517
///
/// The cases 13.* depend on the client's offer: with `13.*` in place of `all` they are run again (126 cases) for each of
/// `outgoing=9`, `incoming=9`, `forget-outgoing`, `forget-incoming`, and all four together.

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("conformance: \(text)\n".utf8))
    exit(2)
}

func compression(_ words: ArraySlice<String>) -> CompressionPolicy? {
    guard let policy = CompressionPolicy.read(Array(words)) else {
        fail("\(words.joined(separator: " ")) is not understood; it may be: \(CompressionPolicy.words)")
    }
    return policy
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "client" where arguments.count >= 3:
    let cases = FuzzedClient(
        url: arguments[1], agent: arguments[2], compression: compression(arguments.dropFirst(3)))
    do {
        let count = try await cases.run()
        print("ran \(count) cases as \(arguments[2])")
    } catch {
        fail(error.message)
    }
case "server" where arguments.count >= 2:
    guard let port = UInt16(arguments[1]) else {
        fail("\(arguments[1]) is no port: give a number from 0 to 65535.")
    }
    do {
        let listener = try EchoListener.start(port: port, compression: compression(arguments.dropFirst(2)))
        FileHandle.standardOutput.write(Data("echoes on 127.0.0.1:\(listener.port)\n".utf8))
        while true { pause() }
    } catch {
        fail(error.message)
    }
default:
    fail(
        "use it as `conformance client URL AGENT` or `conformance server PORT`, and then, to compress otherwise than "
            + "by default: \(CompressionPolicy.words)")
}
